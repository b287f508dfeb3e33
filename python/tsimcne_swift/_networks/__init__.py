"""Networks: their layers, the core's model, and the formats of others."""
