"""The endpoints of DNS clusters: who asks, when, and what is made of the answers."""
