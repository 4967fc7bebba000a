"""What runs the contenders: standard library only, so that any Python can start it."""
