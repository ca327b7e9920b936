"""Published problems and generated estates as Programs, run under equal conditions; figures stand in README.md."""
