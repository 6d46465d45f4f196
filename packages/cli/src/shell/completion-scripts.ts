/** Shells that there is a script for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

// Each asks `s3ec complete` with the words so far, the last of them unfinished; without an answer the shell completes files.
const SCRIPTS: Readonly<Record<Shell, string>> = {
  // Bash breaks words at colons: it is given what is behind the last one.
  bash: String.raw`# s3ec completion for bash: source <(s3ec completion bash)
_s3ec_complete() {
  local line="${"$"}{COMP_LINE:0:COMP_POINT}" candidate behind current
  local -a words
  read -a words <<< "$line"
  case "$line" in *[[:space:]]) words+=("") ;; esac
  current="${"$"}{line##*[[:space:]]}"
  behind="${"$"}{current%"${"$"}{current##*[:=]}"}"
  COMPREPLY=()
  while IFS= read -r candidate; do
    candidate="$(printf '%q' "$candidate")"
    COMPREPLY+=("${"$"}{candidate#"$behind"}")
  done < <(s3ec complete -- "${"$"}{words[@]:1}" 2>/dev/null)
  if [ "${"$"}{#COMPREPLY[@]}" -eq 1 ]; then
    case "${"$"}{COMPREPLY[0]}" in */) compopt -o nospace 2>/dev/null ;; esac
  fi
}
complete -o default -F _s3ec_complete s3ec
`,
  zsh: String.raw`#compdef s3ec
# s3ec completion for zsh: source <(s3ec completion zsh), or save it as _s3ec in a folder of $fpath
_s3ec() {
  local -a candidates folders others
  candidates=("${"$"}{(@f)$(s3ec complete -- "${"$"}{(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  folders=("${"$"}{(@M)candidates:#*/}")
  others=("${"$"}{(@)candidates:#*/}")
  others=("${"$"}{(@)others:#}")
  if (( ${"$"}{#folders} + ${"$"}{#others} == 0 )); then
    _files
    return
  fi
  (( ${"$"}{#folders} )) && compadd -S '' -- "${"$"}{folders[@]}"
  (( ${"$"}{#others} )) && compadd -- "${"$"}{others[@]}"
}
if [ "$funcstack[1]" = "_s3ec" ]; then _s3ec "$@"; else compdef _s3ec s3ec; fi
`,
  fish: `# s3ec completion for fish: s3ec completion fish | source
function __s3ec_candidates
    set -l words (commandline -opc) (commandline -ct)
    set -g __s3ec_found (s3ec complete -- $words[2..-1] 2>/dev/null)
    test (count $__s3ec_found) -gt 0
end
complete -c s3ec -f -n __s3ec_candidates -a '$__s3ec_found'
`,
};

/** The script that a shell reads to complete the words of `s3ec`. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}
