"""What workers tell: counters and access records. Written on the data path, read on the control thread."""
