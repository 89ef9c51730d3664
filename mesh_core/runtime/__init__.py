"""What a worker stands on: memory, byte queues, pipes, rings, timers, the reactor. Knows nothing of proxying."""
