"""What the system asks for: configuration, files that are replaced or cut, forks, text from anywhere."""
