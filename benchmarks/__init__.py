"""Published problems as Programs, and what is known about them."""
