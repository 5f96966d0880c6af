"""Programs prove themselves against brute force on a small instance, and at real size where nothing is enumerated."""
