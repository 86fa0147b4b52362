"""NATS JetStream: events leave the machine, and come in, as CloudEvents."""
