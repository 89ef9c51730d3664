"""Compiled configuration: the immutable tables that workers read, and their lifetime."""
