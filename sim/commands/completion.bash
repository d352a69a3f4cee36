# Completion of isthmus in bash: commands, and the options that each command's --help names.
_isthmus() {
  local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} program=${COMP_WORDS[0]}
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "$("$program" --help 2> /dev/null | sed -n 's/^  \([a-z]\+\)  .*/\1/p')" -- "$word"))
  elif [[ $word == --* ]]; then
    COMPREPLY=($(compgen -W "$("$program" "$command" --help 2> /dev/null | grep -oE '(^|[ [])--[a-z-]+' | tr -d ' [' | sort -u)" -- "$word"))
  else
    compopt -o filenames 2> /dev/null
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -F _isthmus isthmus
