"""Map quality per second: named recipes, budgets, one scorer."""
