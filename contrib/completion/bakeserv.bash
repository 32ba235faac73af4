# bash completion for bakeserv
_bakeserv() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=
  COMPREPLY=()
  case "$prev" in
    --log-level) COMPREPLY=($(compgen -W "error warn info debug" -- "$cur")); return ;;
    --log-format) COMPREPLY=($(compgen -W "text json" -- "$cur")); return ;;
    --format) COMPREPLY=($(compgen -W "shell conf json" -- "$cur")); return ;;
    --config|--hashserv-db|--prserv-db|--admin-password-file|--hashserv-upstream-token-file|--ca|--log-file|--dir|--db-dir|--from-db|--database|--log|--file) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  case "${COMP_WORDS[1]}" in
    serve) words="--config --bind --socket-mode --socket-group --hashserv --prserv --history --self-check --json --hashserv-db --prserv-db --init --sync-mode --hashserv-sync-mode --prserv-sync-mode --cache-size --read-only --immutable --anon-perms --allow-origin --admin-user --admin-password --admin-password-file --hashserv-upstream --prserv-upstream --hashserv-upstream-user --hashserv-upstream-token --hashserv-upstream-token-file --ca --upstream-timeout --upstream-report-timeout --upstream-connect-timeout --upstream-miss-ttl --log-level --log-format --log-file --max-line --max-message --max-message-before-login --max-partial --max-held --max-json-depth --max-json-keys --handshake-timeout --max-headers --max-header-bytes --message-timeout --max-connections --max-connections-per-address --max-handshakes --max-handshakes-per-address --max-in-flight --max-in-flight-bytes --output-pause --output-limit --output-timeout --keep-alive --websocket-ping --login-failure-delay --max-login-failures --login-caution --max-cautious-logins --drain-timeout --help" ;;
    config) words="check print schema --help" ;;
    auto) words="--dir --db-dir --config --history --sync-mode --cache-size --hashserv-upstream --prserv-upstream --hashserv-upstream-user --hashserv-upstream-token --hashserv-upstream-token-file --ca --upstream-timeout --upstream-report-timeout --upstream-connect-timeout --upstream-miss-ttl --log-level --log-format --idle --parent --stop --format --foreground --help" ;;
    run) words="--dir --db-dir --config --history --sync-mode --cache-size --hashserv-upstream --prserv-upstream --hashserv-upstream-user --hashserv-upstream-token --hashserv-upstream-token-file --ca --upstream-timeout --upstream-report-timeout --upstream-connect-timeout --upstream-miss-ttl --log-level --log-format --help" ;;
    warm) words="--address --from-db --user --token --ca --json --help" ;;
    status) words="--check --json --help" ;;
    bitbake-hashserv) words="--bind --database --log --upstream --read-only --db-username --db-password --anon-perms --admin-user --admin-password --reuseport --help" ;;
    bitbake-prserv) words="--file --log --loglevel --start --stop --host --port --read-only --upstream --foreground --help" ;;
  esac
  [ "$COMP_CWORD" -gt 1 ] || words="serve config auto run warm status bitbake-hashserv bitbake-prserv --help --version"
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _bakeserv bakeserv
