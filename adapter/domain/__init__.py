"""The words of the ward: frozen values, standard library only."""
