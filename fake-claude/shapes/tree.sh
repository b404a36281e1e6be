# A tree of shells, $1 deep, with a sleep below the last. The `:` keeps each shell from exec'ing its last command.
if [ "$1" -gt 1 ]; then sh "$0" $(($1 - 1)); else sleep 1200; fi
:
