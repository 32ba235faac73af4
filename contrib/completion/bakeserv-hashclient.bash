# bash completion for bakeserv-hashclient
_bakeserv_hashclient() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${COMP_WORDS[i]}" in
      --address|--log|--login|-l|--password|-p|--become|-b|--ca|--tls-cert|--tls-key|--timeout) ((i++)) ;;
      -*) ;;
      *) command=${COMP_WORDS[i]}; break ;;
    esac
  done
  case "$command" in
    "")
      case "$prev" in
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else COMPREPLY=($(compgen -W "get get-outhash find unihash-exists stats ping stress remove clean-unused get-db-usage get-db-query-columns gc-status gc-mark gc-sweep gc-mark-stream gc insights export import diff get-user get-all-users new-user set-user-perms refresh-token delete-user completion" -- "$cur")); fi ;;
    get)
      case "$prev" in
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    get-outhash)
      case "$prev" in
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    find)
      case "$prev" in
        --limit) return ;;
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--limit --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    unihash-exists)
      case "$prev" in
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--quiet --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    stats)
      case "$prev" in
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--reset --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    ping)
      case "$prev" in
        --count|-n) return ;;
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--count --quiet --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    stress)
      case "$prev" in
        --clients) return ;;
        --requests) return ;;
        --taskhash-seed) return ;;
        --outhash-seed) return ;;
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--clients --requests --report --taskhash-seed --outhash-seed --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    remove)
      case "$prev" in
        --where|-w) return ;;
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--where --dry-run --background --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    clean-unused)
      case "$prev" in
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--background --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    get-db-usage)
      case "$prev" in
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    get-db-query-columns)
      case "$prev" in
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    gc-status)
      case "$prev" in
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    gc-mark)
      case "$prev" in
        --where|-w) return ;;
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--where --background --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    gc-sweep)
      case "$prev" in
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--background --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    gc-mark-stream)
      case "$prev" in
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    gc)
      case "$prev" in
        --sstate-dir) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --keep-from) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --max-age) return ;;
        --mark) return ;;
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--sstate-dir --keep-from --max-age --mark --dry-run --yes --background --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    insights)
      case "$prev" in
        --limit) return ;;
        --list) return ;;
        --recipe) return ;;
        --task) return ;;
        --since) return ;;
        --diff) return ;;
        --method) return ;;
        --outhash) return ;;
        --other) return ;;
        --max-age) return ;;
        --span) COMPREPLY=($(compgen -W "hour day month" -- "$cur")); return ;;
        --sstate-dir) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sstate-mirror) return ;;
        --sstate-name) return ;;
        --pkgarch) return ;;
        --min-age) return ;;
        --cache-age) return ;;
        --cache) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --max-requests) return ;;
        --at-once) return ;;
        --mirror-timeout) return ;;
        --keep) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --orphans) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--limit --list --csv --recipe --task --since --diff --method --outhash --other --max-age --span --sstate-dir --sstate-mirror --sstate-name --pkgarch --min-age --cache-age --cache --max-requests --at-once --mirror-timeout --keep --orphans --fix --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else COMPREPLY=($(compgen -W "unstable equivalences age lookups shared-state" -- "$cur")); fi ;;
    export)
      case "$prev" in
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--resume --background --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); fi ;;
    import)
      case "$prev" in
        --from-line) return ;;
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--from-line --background --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); fi ;;
    diff)
      case "$prev" in
        --taskhashes) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--taskhashes --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    get-user)
      case "$prev" in
        --username|-u) return ;;
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--username --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    get-all-users)
      case "$prev" in
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    new-user)
      case "$prev" in
        --username|-u) return ;;
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--username --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    set-user-perms)
      case "$prev" in
        --username|-u) return ;;
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--username --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    refresh-token)
      case "$prev" in
        --username|-u) return ;;
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--username --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    delete-user)
      case "$prev" in
        --username|-u) return ;;
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--username --address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else :; fi ;;
    completion)
      case "$prev" in
        --address) return ;;
        --log) return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --become|-b) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--address --log --login --password --become --no-netrc --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else COMPREPLY=($(compgen -W "bash zsh fish" -- "$cur")); fi ;;
  esac
}
complete -F _bakeserv_hashclient bakeserv-hashclient
