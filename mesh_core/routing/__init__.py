"""Which route a request takes, and what that does to it: functions over compiled tables."""
