"""Eyes that exist already: any ONNX network as the backbone."""
