"""``kubectl completion``: what a shell has to know so that it completes command lines."""

from __future__ import annotations

from podium.kubectl.command import Command, Invocation

#: Each asks ``kubectl __complete WORDS…``, which answers with lines of ``value<TAB>meaning`` and at
#: last ``:N``, the sum of 2 (no blank behind the value) and 4 (no names of files).
_BASH = r"""# bash completion for kubectl
__kubectl_complete() {
    # Bash has split --flag=value and the like: the line tells what stands together.
    local joined=() cur line word i directive=0 end=${#COMP_LINE}
    [[ -n "$COMP_POINT" ]] && end=$COMP_POINT
    read -r -a joined <<< "${COMP_LINE:0:end}"
    [[ "${COMP_LINE:0:end}" == *[[:space:]] ]] && joined+=("")
    cur="${joined[${#joined[@]}-1]}"
    COMPREPLY=()
    # Values of --flag=value come without the flag.
    local value="$cur"
    [[ "$cur" == -*=* ]] && value="${cur#*=}"
    while IFS= read -r line; do
        if [[ "$line" == :* ]]; then
            directive="${line#:}"
            continue
        fi
        word="${line%%$'\t'*}"
        [[ "$word" == "$value"* ]] && COMPREPLY+=("$word")
    done < <("${joined[0]}" __completeNoDesc "${joined[@]:1}" 2>/dev/null)
    (( directive & 8 )) && COMPREPLY=()
    # What Bash takes for the word begins behind the last = or :.
    local part="${COMP_WORDS[COMP_CWORD]}"
    if [[ "$value" == *:* && "$value" != "$part" ]]; then
        local prefix="${value%"${value##*:}"}"
        for i in "${!COMPREPLY[@]}"; do
            COMPREPLY[i]="${COMPREPLY[i]#"$prefix"}"
        done
    fi
    (( directive & 2 )) && compopt -o nospace 2>/dev/null
    if (( (directive & 4) == 0 && ${#COMPREPLY[@]} == 0 )); then
        compopt -o default 2>/dev/null
    fi
    return 0
}
complete -F __kubectl_complete kubectl
"""
_ZSH = r"""#compdef kubectl
compdef _kubectl kubectl

# zsh completion for kubectl
_kubectl() {
    local -a completions typed
    local line value meaning prefix='' directive=0 tab=$'\t'
    typed=("${(@)words[2,CURRENT]}")
    while IFS= read -r line; do
        if [[ "$line" == :* ]]; then
            directive="${line#:}"
            continue
        fi
        value="${line%%${tab}*}"
        meaning="${line#*${tab}}"
        value="${value//:/\\:}"
        if [[ "$line" == *"${tab}"* ]]; then
            completions+=("${value}:${meaning}")
        else
            completions+=("${value}")
        fi
    done < <("${words[1]}" __complete "${typed[@]}" 2>/dev/null)
    # Values of --flag=value come without the flag.
    [[ "${words[CURRENT]}" == -*=* ]] && prefix="${words[CURRENT]%%=*}="
    (( directive & 8 )) && completions=()
    if (( ${#completions} == 0 )); then
        (( directive & 4 )) || _files
        return
    fi
    if (( directive & 2 )); then
        _describe -V completions completions -P "$prefix" -S ''
    else
        _describe -V completions completions -P "$prefix"
    fi
}

# don't run the completion function when being source-ed or eval-ed
if [ "$funcstack[1]" = "_kubectl" ]; then
    _kubectl
fi
"""
_FISH = r"""# fish completion for kubectl
function __kubectl_answer
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    set -l program $typed[1]
    set -e typed[1]
    $program __complete $typed "$current" 2>/dev/null
end

function __kubectl_complete
    # Values of --flag=value come without the flag.
    set -l prefix (commandline -ct | string match -r '^-[^=]*=')
    for line in (__kubectl_answer | string match -v -r '^:\d+$')
        echo "$prefix$line"
    end
end

function __kubectl_no_files
    set -l directive (__kubectl_answer | string match -r '^:\d+$' | string replace ':' '')
    test -n "$directive"; and test (math "floor($directive / 4) % 2") -eq 1
end

complete -c kubectl -e
complete -c kubectl -n 'not __kubectl_no_files' -F
complete -c kubectl -n '__kubectl_no_files' -f
complete -c kubectl -a '(__kubectl_complete)'
"""
_SHELLS = {"bash": _BASH, "fish": _FISH, "zsh": _ZSH}


def run(invocation: Invocation) -> int:
    words, problem = invocation.words, ""
    if not words:
        problem = "Shell not specified."
    elif len(words) > 1:
        problem = "Too many arguments. Expected only the shell type."
    elif words[0] not in _SHELLS:
        problem = f'Unsupported shell type "{words[0]}".'
    if problem:
        raise invocation.misused(problem)
    print(_SHELLS[words[0]], end="")
    return 0


COMMAND = Command(
    usage="kubectl completion SHELL [options]",
    short="Output shell completion code for the specified shell (bash, zsh, fish)",
    long="Print what a shell has to be told so that it completes command lines: verbs, flags, "
    "kinds and names.",
    examples="""
# Bash, in this shell
source <(kubectl completion bash)

# Zsh, in every shell
kubectl completion zsh > "${fpath[1]}/_kubectl"

# Fish
kubectl completion fish > ~/.config/fish/completions/kubectl.fish
""",
    run=run,
)
