"""The admin endpoint: what operators see and may do, by Envoy's conventions."""
