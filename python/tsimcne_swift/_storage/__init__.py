"""Files: models and checkpoints as safetensors with a JSON document."""
