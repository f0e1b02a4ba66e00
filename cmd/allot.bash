# SPDX-License-Identifier: Apache-2.0
# Completion for bash: the program itself knows its words, options and names.
_allot() {
    local line word=${COMP_WORDS[COMP_CWORD]} quoted=
    COMPREPLY=()
    # A name may have spaces: it is typed with backslashes or in quotes, and known without them.
    case $word in
    [\"\']*) word=${word:1} quoted=1 ;;
    *) word=${word//\\/} ;;
    esac
    while IFS= read -r line; do
        if [ "$line" = :file ]; then
            compopt -o filenames 2>/dev/null
            while IFS= read -r line; do
                COMPREPLY+=("$line")
            done < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]#=}")
        else
            [ -n "$quoted" ] || printf -v line %q "$line"
            COMPREPLY+=("$line")
        fi
    done < <("${COMP_WORDS[0]}" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" "$word" 2>/dev/null)
}
complete -F _allot allot
