# bash completion for bakeserv
_bakeserv() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${COMP_WORDS[i]}" in
      --) ((i++)) ;;
      -*) ;;
      *) command=${COMP_WORDS[i]}; break ;;
    esac
  done
  case "$command" in
    "")
      case "$prev" in
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--version --help" -- "$cur"))
      else COMPREPLY=($(compgen -W "serve config auto run stage stages publish discard warm status reload jobs backup check restore copy pull promote clone db bitbake-hashserv bitbake-prserv completion" -- "$cur")); fi ;;
    serve)
      case "$prev" in
        --config) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --bind) return ;;
        --socket-mode) return ;;
        --socket-group) return ;;
        --workers) return ;;
        --worker-timeout) return ;;
        --hashserv-db) return ;;
        --prserv-db) return ;;
        --sync-mode) return ;;
        --hashserv-sync-mode) return ;;
        --prserv-sync-mode) return ;;
        --cache-size) return ;;
        --anon-perms) return ;;
        --trust-proxy) return ;;
        --allow-origin) return ;;
        --admin-user) return ;;
        --admin-password) return ;;
        --admin-password-file) return ;;
        --user-header) return ;;
        --page-pull-from) return ;;
        --tls-cert) return ;;
        --tls-key) return ;;
        --tls-client-ca) return ;;
        --hashserv-upstream) return ;;
        --prserv-upstream) return ;;
        --hashserv-upstream-user) return ;;
        --hashserv-upstream-token) return ;;
        --hashserv-upstream-token-file) return ;;
        --prserv-upstream-user) return ;;
        --prserv-upstream-token) return ;;
        --prserv-upstream-token-file) return ;;
        --ca) return ;;
        --upstream-tls-cert) return ;;
        --upstream-tls-key) return ;;
        --upstream-timeout) return ;;
        --upstream-report-timeout) return ;;
        --upstream-connect-timeout) return ;;
        --upstream-miss-ttl) return ;;
        --mirror) return ;;
        --job-workers) return ;;
        --max-waiting-jobs) return ;;
        --jobs-db) return ;;
        --figures-file) return ;;
        --max-waiting-insights) return ;;
        --insight-timeout) return ;;
        --insight-cache) return ;;
        --sstate-dir) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sstate-mirror) return ;;
        --sstate-mirror-file) return ;;
        --sstate-name) return ;;
        --sstate-pkgarch) return ;;
        --log-level) COMPREPLY=($(compgen -W "error warn info debug" -- "$cur")); return ;;
        --log-format) COMPREPLY=($(compgen -W "text json" -- "$cur")); return ;;
        --log-file) return ;;
        --access-log) return ;;
        --max-line) return ;;
        --max-message) return ;;
        --max-message-before-login) return ;;
        --max-partial) return ;;
        --max-held) return ;;
        --max-json-depth) return ;;
        --max-json-keys) return ;;
        --handshake-timeout) return ;;
        --max-headers) return ;;
        --max-header-bytes) return ;;
        --message-timeout) return ;;
        --max-connections) return ;;
        --max-connections-per-address) return ;;
        --max-handshakes) return ;;
        --max-handshakes-per-address) return ;;
        --max-in-flight) return ;;
        --max-in-flight-bytes) return ;;
        --output-pause) return ;;
        --output-limit) return ;;
        --output-timeout) return ;;
        --max-http-connections) return ;;
        --max-http-header) return ;;
        --max-http-body) return ;;
        --http-idle-timeout) return ;;
        --keep-alive) return ;;
        --websocket-ping) return ;;
        --login-failure-delay) return ;;
        --max-login-failures) return ;;
        --login-caution) return ;;
        --max-cautious-logins) return ;;
        --drain-timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--config --bind --socket-mode --socket-group --hashserv --prserv --workers --worker-timeout --history --self-check --json --hashserv-db --prserv-db --init --sync-mode --hashserv-sync-mode --prserv-sync-mode --cache-size --read-only --immutable --anon-perms --trust-proxy --allow-origin --admin-user --admin-password --admin-password-file --page --user-header --page-pull-from --tls-cert --tls-key --tls-client-ca --hashserv-upstream --prserv-upstream --hashserv-upstream-user --hashserv-upstream-token --hashserv-upstream-token-file --prserv-upstream-user --prserv-upstream-token --prserv-upstream-token-file --ca --upstream-tls-cert --upstream-tls-key --upstream-timeout --upstream-report-timeout --upstream-connect-timeout --upstream-miss-ttl --mirror --job-workers --max-waiting-jobs --jobs-db --figures-file --max-waiting-insights --insight-timeout --insight-cache --sstate-dir --sstate-mirror --sstate-mirror-file --sstate-name --sstate-pkgarch --log-level --log-format --log-file --access-log --max-line --max-message --max-message-before-login --max-partial --max-held --max-json-depth --max-json-keys --handshake-timeout --max-headers --max-header-bytes --message-timeout --max-connections --max-connections-per-address --max-handshakes --max-handshakes-per-address --max-in-flight --max-in-flight-bytes --output-pause --output-limit --output-timeout --max-http-connections --max-http-header --max-http-body --http-idle-timeout --keep-alive --websocket-ping --login-failure-delay --max-login-failures --login-caution --max-cautious-logins --drain-timeout --version --help" -- "$cur"))
      else :; fi ;;
    config)
      case "$prev" in
        --config) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --bind) return ;;
        --socket-mode) return ;;
        --socket-group) return ;;
        --workers) return ;;
        --worker-timeout) return ;;
        --hashserv-db) return ;;
        --prserv-db) return ;;
        --sync-mode) return ;;
        --hashserv-sync-mode) return ;;
        --prserv-sync-mode) return ;;
        --cache-size) return ;;
        --anon-perms) return ;;
        --trust-proxy) return ;;
        --allow-origin) return ;;
        --admin-user) return ;;
        --admin-password) return ;;
        --admin-password-file) return ;;
        --user-header) return ;;
        --page-pull-from) return ;;
        --tls-cert) return ;;
        --tls-key) return ;;
        --tls-client-ca) return ;;
        --hashserv-upstream) return ;;
        --prserv-upstream) return ;;
        --hashserv-upstream-user) return ;;
        --hashserv-upstream-token) return ;;
        --hashserv-upstream-token-file) return ;;
        --prserv-upstream-user) return ;;
        --prserv-upstream-token) return ;;
        --prserv-upstream-token-file) return ;;
        --ca) return ;;
        --upstream-tls-cert) return ;;
        --upstream-tls-key) return ;;
        --upstream-timeout) return ;;
        --upstream-report-timeout) return ;;
        --upstream-connect-timeout) return ;;
        --upstream-miss-ttl) return ;;
        --mirror) return ;;
        --job-workers) return ;;
        --max-waiting-jobs) return ;;
        --jobs-db) return ;;
        --figures-file) return ;;
        --max-waiting-insights) return ;;
        --insight-timeout) return ;;
        --insight-cache) return ;;
        --sstate-dir) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sstate-mirror) return ;;
        --sstate-mirror-file) return ;;
        --sstate-name) return ;;
        --sstate-pkgarch) return ;;
        --log-level) COMPREPLY=($(compgen -W "error warn info debug" -- "$cur")); return ;;
        --log-format) COMPREPLY=($(compgen -W "text json" -- "$cur")); return ;;
        --log-file) return ;;
        --access-log) return ;;
        --max-line) return ;;
        --max-message) return ;;
        --max-message-before-login) return ;;
        --max-partial) return ;;
        --max-held) return ;;
        --max-json-depth) return ;;
        --max-json-keys) return ;;
        --handshake-timeout) return ;;
        --max-headers) return ;;
        --max-header-bytes) return ;;
        --message-timeout) return ;;
        --max-connections) return ;;
        --max-connections-per-address) return ;;
        --max-handshakes) return ;;
        --max-handshakes-per-address) return ;;
        --max-in-flight) return ;;
        --max-in-flight-bytes) return ;;
        --output-pause) return ;;
        --output-limit) return ;;
        --output-timeout) return ;;
        --max-http-connections) return ;;
        --max-http-header) return ;;
        --max-http-body) return ;;
        --http-idle-timeout) return ;;
        --keep-alive) return ;;
        --websocket-ping) return ;;
        --login-failure-delay) return ;;
        --max-login-failures) return ;;
        --login-caution) return ;;
        --max-cautious-logins) return ;;
        --drain-timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--config --bind --socket-mode --socket-group --hashserv --prserv --workers --worker-timeout --history --self-check --json --hashserv-db --prserv-db --init --sync-mode --hashserv-sync-mode --prserv-sync-mode --cache-size --read-only --immutable --anon-perms --trust-proxy --allow-origin --admin-user --admin-password --admin-password-file --page --user-header --page-pull-from --tls-cert --tls-key --tls-client-ca --hashserv-upstream --prserv-upstream --hashserv-upstream-user --hashserv-upstream-token --hashserv-upstream-token-file --prserv-upstream-user --prserv-upstream-token --prserv-upstream-token-file --ca --upstream-tls-cert --upstream-tls-key --upstream-timeout --upstream-report-timeout --upstream-connect-timeout --upstream-miss-ttl --mirror --job-workers --max-waiting-jobs --jobs-db --figures-file --max-waiting-insights --insight-timeout --insight-cache --sstate-dir --sstate-mirror --sstate-mirror-file --sstate-name --sstate-pkgarch --log-level --log-format --log-file --access-log --max-line --max-message --max-message-before-login --max-partial --max-held --max-json-depth --max-json-keys --handshake-timeout --max-headers --max-header-bytes --message-timeout --max-connections --max-connections-per-address --max-handshakes --max-handshakes-per-address --max-in-flight --max-in-flight-bytes --output-pause --output-limit --output-timeout --max-http-connections --max-http-header --max-http-body --http-idle-timeout --keep-alive --websocket-ping --login-failure-delay --max-login-failures --login-caution --max-cautious-logins --drain-timeout --version --help" -- "$cur"))
      else COMPREPLY=($(compgen -W "check print schema" -- "$cur")); fi ;;
    auto)
      case "$prev" in
        --dir) return ;;
        --db-dir) return ;;
        --config) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --sync-mode) return ;;
        --cache-size) return ;;
        --hashserv-upstream) return ;;
        --prserv-upstream) return ;;
        --hashserv-upstream-user) return ;;
        --hashserv-upstream-token) return ;;
        --hashserv-upstream-token-file) return ;;
        --prserv-upstream-user) return ;;
        --prserv-upstream-token) return ;;
        --prserv-upstream-token-file) return ;;
        --ca) return ;;
        --upstream-tls-cert) return ;;
        --upstream-tls-key) return ;;
        --upstream-timeout) return ;;
        --upstream-report-timeout) return ;;
        --upstream-connect-timeout) return ;;
        --upstream-miss-ttl) return ;;
        --log-level) COMPREPLY=($(compgen -W "error warn info debug" -- "$cur")); return ;;
        --log-format) COMPREPLY=($(compgen -W "text json" -- "$cur")); return ;;
        --idle) return ;;
        --parent) return ;;
        --format) COMPREPLY=($(compgen -W "shell conf json" -- "$cur")); return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--dir --db-dir --config --history --sync-mode --cache-size --hashserv-upstream --prserv-upstream --hashserv-upstream-user --hashserv-upstream-token --hashserv-upstream-token-file --prserv-upstream-user --prserv-upstream-token --prserv-upstream-token-file --ca --upstream-tls-cert --upstream-tls-key --upstream-timeout --upstream-report-timeout --upstream-connect-timeout --upstream-miss-ttl --log-level --log-format --idle --parent --stop --format --foreground --version --help" -- "$cur"))
      else :; fi ;;
    run)
      case "$prev" in
        --dir) return ;;
        --db-dir) return ;;
        --config) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --sync-mode) return ;;
        --cache-size) return ;;
        --hashserv-upstream) return ;;
        --prserv-upstream) return ;;
        --hashserv-upstream-user) return ;;
        --hashserv-upstream-token) return ;;
        --hashserv-upstream-token-file) return ;;
        --prserv-upstream-user) return ;;
        --prserv-upstream-token) return ;;
        --prserv-upstream-token-file) return ;;
        --ca) return ;;
        --upstream-tls-cert) return ;;
        --upstream-tls-key) return ;;
        --upstream-timeout) return ;;
        --upstream-report-timeout) return ;;
        --upstream-connect-timeout) return ;;
        --upstream-miss-ttl) return ;;
        --log-level) COMPREPLY=($(compgen -W "error warn info debug" -- "$cur")); return ;;
        --log-format) COMPREPLY=($(compgen -W "text json" -- "$cur")); return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--dir --db-dir --config --history --sync-mode --cache-size --hashserv-upstream --prserv-upstream --hashserv-upstream-user --hashserv-upstream-token --hashserv-upstream-token-file --prserv-upstream-user --prserv-upstream-token --prserv-upstream-token-file --ca --upstream-tls-cert --upstream-tls-key --upstream-timeout --upstream-report-timeout --upstream-connect-timeout --upstream-miss-ttl --log-level --log-format --version --help" -- "$cur"))
      else :; fi ;;
    stage)
      case "$prev" in
        --address) return ;;
        --stages-dir) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --idle) return ;;
        --parent) return ;;
        --format) COMPREPLY=($(compgen -W "shell conf" -- "$cur")); return ;;
        --config) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --sync-mode) return ;;
        --cache-size) return ;;
        --hashserv-upstream) return ;;
        --prserv-upstream) return ;;
        --hashserv-upstream-user) return ;;
        --hashserv-upstream-token) return ;;
        --hashserv-upstream-token-file) return ;;
        --prserv-upstream-user) return ;;
        --prserv-upstream-token) return ;;
        --prserv-upstream-token-file) return ;;
        --ca) return ;;
        --upstream-tls-cert) return ;;
        --upstream-tls-key) return ;;
        --upstream-timeout) return ;;
        --upstream-report-timeout) return ;;
        --upstream-connect-timeout) return ;;
        --upstream-miss-ttl) return ;;
        --log-level) COMPREPLY=($(compgen -W "error warn info debug" -- "$cur")); return ;;
        --log-format) COMPREPLY=($(compgen -W "text json" -- "$cur")); return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--address --new --stages-dir --idle --parent --format --json --config --history --sync-mode --cache-size --hashserv-upstream --prserv-upstream --hashserv-upstream-user --hashserv-upstream-token --hashserv-upstream-token-file --prserv-upstream-user --prserv-upstream-token --prserv-upstream-token-file --ca --upstream-tls-cert --upstream-tls-key --upstream-timeout --upstream-report-timeout --upstream-connect-timeout --upstream-miss-ttl --log-level --log-format --version --help" -- "$cur"))
      else :; fi ;;
    stages)
      case "$prev" in
        --stages-dir) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--stages-dir --json --version --help" -- "$cur"))
      else :; fi ;;
    publish)
      case "$prev" in
        --address) return ;;
        --stages-dir) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --packages) return ;;
        --on-conflict) COMPREPLY=($(compgen -W "fail keep raise" -- "$cur")); return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--address --yes --stages-dir --json --hashes --prs --packages --on-conflict --dry-run --version --help" -- "$cur"))
      else :; fi ;;
    discard)
      case "$prev" in
        --stages-dir) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--yes --force --stages-dir --json --version --help" -- "$cur"))
      else :; fi ;;
    warm)
      case "$prev" in
        --address) return ;;
        --from-db) return ;;
        --user) return ;;
        --token) return ;;
        --ca) return ;;
        --upstream-tls-cert) return ;;
        --upstream-tls-key) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--address --from-db --user --token --ca --upstream-tls-cert --upstream-tls-key --json --version --help" -- "$cur"))
      else compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); fi ;;
    status)
      case "$prev" in
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--check --json --version --help" -- "$cur"))
      else :; fi ;;
    reload)
      case "$prev" in
        --dir) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --socket) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--dir --socket --json --version --help" -- "$cur"))
      else :; fi ;;
    jobs)
      case "$prev" in
        --pid) return ;;
        --dir) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --socket) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --address) return ;;
        --service) COMPREPLY=($(compgen -W "hashserv prserv" -- "$cur")); return ;;
        --login|-l) return ;;
        --password|-p) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --states) return ;;
        --limit) return ;;
        --before) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--pid --dir --socket --address --service --login --password --ca --wait --states --limit --before --json --version --help" -- "$cur"))
      else :; fi ;;
    backup)
      case "$prev" in
        --config) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --hashserv-db) return ;;
        --prserv-db) return ;;
        --keep) return ;;
        --pid) return ;;
        --dir) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --socket) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--config --hashserv-db --prserv-db --keep --background --pid --dir --socket --json --version --help" -- "$cur"))
      else compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); fi ;;
    check)
      case "$prev" in
        --pid) return ;;
        --dir) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --socket) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--background --pid --dir --socket --json --version --help" -- "$cur"))
      else compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); fi ;;
    restore)
      case "$prev" in
        --config) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --hashserv-db) return ;;
        --prserv-db) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--config --hashserv-db --prserv-db --as-new --yes --json --version --help" -- "$cur"))
      else compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); fi ;;
    copy)
      case "$prev" in
        --from-user) return ;;
        --from-token) return ;;
        --to-user) return ;;
        --to-token) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
        --pid) return ;;
        --dir) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --socket) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--hashes --prs --users --skip-unstorable --in-use --from-user --from-token --to-user --to-token --ca --tls-cert --tls-key --timeout --dry-run --json --background --pid --dir --socket --version --help" -- "$cur"))
      else compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); fi ;;
    pull)
      case "$prev" in
        --packages) return ;;
        --pkgarch) return ;;
        --methods) return ;;
        --since) return ;;
        --on-conflict) COMPREPLY=($(compgen -W "fail keep raise" -- "$cur")); return ;;
        --user) return ;;
        --token-file) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --address) return ;;
        --pid) return ;;
        --dir) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --socket) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--hashes --prs --packages --pkgarch --methods --since --on-conflict --user --token-file --ca --tls-cert --tls-key --address --pid --dir --socket --dry-run --background --json --version --help" -- "$cur"))
      else compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); fi ;;
    promote)
      case "$prev" in
        --pkgarch) return ;;
        --on-conflict) COMPREPLY=($(compgen -W "fail keep raise" -- "$cur")); return ;;
        --user) return ;;
        --token-file) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --address) return ;;
        --pid) return ;;
        --dir) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --socket) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --list) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--hashes --prs --pkgarch --on-conflict --user --token-file --ca --tls-cert --tls-key --address --pid --dir --socket --dry-run --background --json --yes --list --version --help" -- "$cur"))
      else :; fi ;;
    clone)
      case "$prev" in
        --from-user) return ;;
        --from-token) return ;;
        --ca) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-cert) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tls-key) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --timeout) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--users --skip-unstorable --from-user --from-token --ca --tls-cert --tls-key --timeout --json --version --help" -- "$cur"))
      else compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); fi ;;
    db)
      case "$prev" in
        --config) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --hashserv-db) return ;;
        --prserv-db) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--config --hashserv-db --prserv-db --dry-run --json --version --help" -- "$cur"))
      else COMPREPLY=($(compgen -W "migrate" -- "$cur")); fi ;;
    bitbake-hashserv)
      case "$prev" in
        --bind|-b) return ;;
        --database|-d) return ;;
        --log|-l) return ;;
        --upstream|-u) return ;;
        --db-username) return ;;
        --db-password) return ;;
        --anon-perms) return ;;
        --admin-user) return ;;
        --admin-password) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--bind --database --log --upstream --read-only --db-username --db-password --anon-perms --admin-user --admin-password --reuseport --version --help" -- "$cur"))
      else :; fi ;;
    bitbake-prserv)
      case "$prev" in
        --file|-f) return ;;
        --log|-l) return ;;
        --loglevel) return ;;
        --host) return ;;
        --port) return ;;
        --upstream|-u) return ;;
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--file --log --loglevel --start --stop --host --port --read-only --upstream --foreground --version --help" -- "$cur"))
      else :; fi ;;
    completion)
      case "$prev" in
      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "--version --help" -- "$cur"))
      else COMPREPLY=($(compgen -W "bash zsh fish" -- "$cur")); fi ;;
  esac
}
complete -F _bakeserv bakeserv
