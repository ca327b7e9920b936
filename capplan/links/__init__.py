"""Links: what must talk to what, and whether it can, normally and when any one thing fails."""
