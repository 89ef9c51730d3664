"""The control thread's side: compiling configuration, sockets, the proxy's life, what operators see."""
