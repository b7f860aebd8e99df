"""Tests of bdevcheck, one file a module."""
