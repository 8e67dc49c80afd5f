/**
 * The scripts that make a shell ask `livenessprobe completion SHELL LINE` at each TAB. The answer's first line says
 * what follows:
 * `files` and `directories` are listed by the shell; below `words`, each line is a word and what it is. Nothing of the
 * line is run or expanded here, nor anything of the answer.
 */
export const COMPLETION_SCRIPTS = {
  // readline replaces what follows the last of COMP_WORDBREAKS, which has "=" unless the user took it out.
  bash: `# bash completion for livenessprobe
_livenessprobe() {
  local kind= word prefix=
  case $2 in -*=*) prefix=\${2%%=*}= ;; esac
  COMPREPLY=()
  {
    IFS= read -r kind
    while IFS=' ' read -r word _; do COMPREPLY+=("$prefix$word"); done
  } < <("\${1/#'~/'/"$HOME/"}" completion bash -- "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
  case $kind in
    files) compopt -o default ;;
    directories) compopt -o dirnames ;;
  esac
}
complete -F _livenessprobe livenessprobe
`,
  zsh: `#compdef livenessprobe
_livenessprobe() {
  local program=\${(Q)words[1]}
  local -a lines found
  lines=("\${(@f)$("\${program/#\\~\\//$HOME/}" completion zsh -- "\${(j: :)words[1,CURRENT-1]} $PREFIX" 2>/dev/null)}")
  [[ $PREFIX == -*=* ]] && compset -P 1 '*='
  case $lines[1] in
    files) _files ;;
    directories) _files -/ ;;
    words)
      found=("\${(@)lines[2,-1]/ /:}")
      _describe livenessprobe found
      ;;
  esac
}
if [[ $funcstack[1] == _livenessprobe ]]; then
  _livenessprobe "$@"
else
  compdef _livenessprobe livenessprobe
fi
`,
  fish: `# fish completion for livenessprobe
function __livenessprobe_complete
    set -l program (string replace -r '^~/' "$HOME/" -- (commandline -opc)[1])
    set -l line (commandline -cp | string collect)
    set -l word (commandline -ct)
    set -l prefix (string match -r -- '^-[^=]*=' $word)
    set -l value (string replace -r -- '^-[^=]*=' '' $word)
    set -l lines ($program completion fish -- "$line" 2>/dev/null)
    switch "$lines[1]"
        case files
            for path in (__fish_complete_path "$value")
                printf '%s\\n' "$prefix$path"
            end
        case directories
            for path in (__fish_complete_directories "$value")
                printf '%s\\n' "$prefix$path"
            end
        case '*'
            for line in $lines[2..]
                string replace ' ' \\t -- "$prefix$line"
            end
    end
end
complete -c livenessprobe -f -a '(__livenessprobe_complete)'
`,
} as const;
