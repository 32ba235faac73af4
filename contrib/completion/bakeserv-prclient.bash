# bash completion for bakeserv-prclient
_bakeserv_prclient() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${COMP_WORDS[i]}" in
      --server|--login|-l|--password|-p|--ca|--tls-cert|--tls-key|--timeout) ((i++)) ;;
      -*) ;;
      *) command=${COMP_WORDS[i]}; break ;;
    esac
  done
  case "$command" in
    "")
      case "$prev" in
        --server) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--server --login --password --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else COMPREPLY=($(compgen -W "get-pr test-pr test-package max-package-pr import-one export import remove history find list insights is-readonly ping completion" -- "$cur")); fi ;;
    get-pr)
      case "$prev" in
        --server) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--history --server --login --password --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    test-pr)
      case "$prev" in
        --server) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--history --server --login --password --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    test-package)
      case "$prev" in
        --server) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--server --login --password --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    max-package-pr)
      case "$prev" in
        --server) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--server --login --password --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    import-one)
      case "$prev" in
        --server) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--server --login --password --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    export)
      case "$prev" in
        --format) COMPREPLY=($(compgen -W "bitbake json jsonl csv" -- "$cur")); return ;;
        --version) return ;;
        --pkgarch) return ;;
        --checksum) return ;;
        --server) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--format --version --pkgarch --checksum --history --colinfo --lockdown --background --server --login --password --ca --tls-cert --tls-key --timeout --json --help" -- "$cur"))
      else compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); fi ;;
    import)
      case "$prev" in
        --format) COMPREPLY=($(compgen -W "bitbake json jsonl csv" -- "$cur")); return ;;
        --server) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--format --keep-going --background --server --login --password --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); fi ;;
    remove)
      case "$prev" in
        --version) return ;;
        --pkgarch) return ;;
        --checksum) return ;;
        --value) return ;;
        --server) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--version --pkgarch --checksum --value --dry-run --background --server --login --password --ca --tls-cert --tls-key --timeout --json --help" -- "$cur"))
      else :; fi ;;
    history)
      case "$prev" in
        --server) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--server --login --password --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    find)
      case "$prev" in
        --limit) return ;;
        --server) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--limit --server --login --password --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    list)
      case "$prev" in
        --like) return ;;
        --server) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--like --server --login --password --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    insights)
      case "$prev" in
        --limit) return ;;
        --days) return ;;
        --sort) COMPREPLY=($(compgen -W "new values skipped left" -- "$cur")); return ;;
        --server) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--limit --csv --days --sort --server --login --password --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else COMPREPLY=($(compgen -W "churn" -- "$cur")); fi ;;
    is-readonly)
      case "$prev" in
        --server) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--server --login --password --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    ping)
      case "$prev" in
        --count|-n) return ;;
        --server) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--count --quiet --server --login --password --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    completion)
      case "$prev" in
        --server) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--server --login --password --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else COMPREPLY=($(compgen -W "bash zsh fish" -- "$cur")); fi ;;
  esac
}
complete -F _bakeserv_prclient bakeserv-prclient
