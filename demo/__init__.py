"""`make demo`: two origins, a proxy in front of them, real traffic, and what an operator sees of it."""
