// What each shell is told once, so that it asks `bulkhead completion words` on each Tab.

/** Programs by whose names people call this one. */
const PROGRAMS = 'bulkhead kubectl-bulkhead';

/** Bash cuts words at `=` and `:` too, and puts what is chosen behind the cut; bash 3.2 has no `compopt`. */
const BASH = `# completion of bulkhead for bash: source <(bulkhead completion bash)
_bulkhead() {
  local line=\${COMP_LINE:0:COMP_POINT} program=\${1/#\\~/$HOME} current cut word entry directive=:4 quote=
  local -a words answer
  read -r -a words <<<"$line"
  [[ $line == *[[:space:]] || \${#words[@]} -eq 1 ]] && words+=('')
  current=\${words[\${#words[@]} - 1]}
  [[ $current == [\\'\\"]* ]] && quote=\${current:0:1}
  words=("\${words[@]//[\\'\\"]/}")
  current=\${words[\${#words[@]} - 1]}
  cut=\${current%"\${current##*[=:]}"}
  [[ -n $quote ]] && cut=
  COMPREPLY=()
  while IFS= read -r entry; do
    if [[ $entry == :[0-9]* ]]; then directive=$entry; continue; fi
    word=\${entry%%$'\\t'*}
    word=\${word#"$cut"}
    [[ -z $quote ]] && printf -v word %q "$word"
    COMPREPLY+=("$word")
  done < <("$program" completion words -- "\${words[@]:1}" 2>/dev/null)
  if [[ $directive == :0 ]]; then compopt -o default 2>/dev/null; fi
  return 0
}
complete -F _bulkhead ${PROGRAMS}
`;

const ZSH = `#compdef ${PROGRAMS}
# completion of bulkhead for zsh: source <(bulkhead completion zsh), behind compinit
_bulkhead() {
  local -a lines described
  local line word directive=:4
  lines=("\${(@f)$("\${(Q)\${~words[1]}}" completion words -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "\${lines[@]}"; do
    if [[ $line == :<-> ]]; then directive=$line; continue; fi
    [[ -z $line ]] && continue
    word=\${line%%$'\\t'*}
    if [[ $line == *$'\\t'* ]]; then described+=("\${word//:/\\\\:}:\${line#*$'\\t'}"); else described+=("\${word//:/\\\\:}"); fi
  done
  if [[ $directive == :0 ]]; then _files; else _describe -t words bulkhead described; fi
}
if [[ \${funcstack[1]} == _bulkhead ]]; then _bulkhead "$@"; else compdef _bulkhead ${PROGRAMS}; fi
`;

const FISH = `# completion of bulkhead for fish: bulkhead completion fish > ~/.config/fish/completions/bulkhead.fish
function __bulkhead_words
    set -l typed (commandline -opc)
    set -l current (commandline -ct | string trim --left --chars '"\\'')
    test (count $current) -eq 0; and set current ''
    set -l answer ($typed[1] completion words -- $typed[2..-1] "$current" 2>/dev/null)
    if test "$answer[-1]" = ':0'
        __fish_complete_path "$current"
    else if test (count $answer) -gt 1
        printf '%s\\n' $answer[1..-2]
    end
end
for program in ${PROGRAMS}
    complete -c $program -f -a '(__bulkhead_words)'
end
`;

const POWERSHELL = `# completion of bulkhead for PowerShell: bulkhead completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName ${PROGRAMS.replace(' ', ', ')} -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $typed = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString().Trim("'", '"') })
    $program = $typed[0]
    $words = @($typed | Select-Object -Skip 1) + @([string]$wordToComplete)
    $lines = @(& $program completion words '--' @words 2>$null)
    if ($lines.Count -eq 0 -or $lines[-1] -eq ':0') { return }
    $lines | Where-Object { $_ -notmatch '^:[0-9]+$' } | ForEach-Object {
        $word, $says = $_ -split "\`t", 2
        if (-not $says) { $says = $word }
        [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $says)
    }
}
`;

export const SHELL_SCRIPTS: Readonly<Record<'bash' | 'zsh' | 'fish' | 'powershell', string>> = { bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL };
