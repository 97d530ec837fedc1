"""What operators see of processes beside their logs: figures for Prometheus, and traces."""
