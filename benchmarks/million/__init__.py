"""What a million images cost after their features: neighbours and points, beside other libraries."""
