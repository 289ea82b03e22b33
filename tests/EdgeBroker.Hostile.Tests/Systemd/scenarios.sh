#!/usr/bin/env bash
# Run by systemd within the test machine. One line a scenario, "ok" or "FAIL"; what a failure needs to be understood stands below it.
cd /opt || exit 1
unit=edgebroker.service
failures=0

result() { # NAME STATUS
  if [ "$2" -eq 0 ]; then
    echo "ok $1"
  else
    failures=$((failures + 1))
    echo "FAIL $1"
    systemctl status "$unit" --no-pager -l 2>&1 | tail -20 | sed 's/^/  | /'
    tail -20 /run/broker.log 2>/dev/null | sed 's/^/  > /'
  fi
}

until_true() { # SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}

configure() { cat > /etc/edgebroker/broker.toml; chown -R edgebroker: /etc/edgebroker; }
active() { [ "$(systemctl is-active "$unit")" = active ]; }
restarts() { systemctl show -p NRestarts --value "$unit"; }
publish() { timeout 10 edgebroker pub "$@" -t t -m x -q 1; }
ca=/etc/edgebroker/certs/ca.crt
tls() { publish -p 8883 --cafile "$ca" -u anna -P "$1"; }
healthy() { timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; printf "GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" >&3; cat <&3'; }

systemd-sysusers > /dev/null 2>&1
mkdir -p /etc/systemd/system/$unit.d
printf '[Service]\nStandardOutput=append:/run/broker.log\nStandardError=append:/run/broker.log\n' > /etc/systemd/system/$unit.d/log.conf
systemctl daemon-reload

# As a technician does it: as root, with the verbs that are shipped.
mkdir -p /etc/edgebroker/certs
(cd /etc/edgebroker && edgebroker cert ca --dir certs && edgebroker cert server localhost 127.0.0.1 --dir certs) > /run/cert.log 2>&1
printf 'secret1' | edgebroker passwd add /etc/edgebroker/users anna --stdin > /dev/null
configure <<'TOML'
[node]
data_dir = "/var/lib/edgebroker"
[auth]
password_file = "users"
[[listener]]
protocol = "mqtt"
address = "127.0.0.1:1883"
allow_anonymous = true
[[listener]]
protocol = "mqtts"
address = "127.0.0.1:8883"
[listener.tls]
cert = "certs/server.crt"
key = "certs/server.key"
[[listener]]
protocol = "http"
address = "127.0.0.1:8080"
TOML

systemctl start "$unit"
result "starts, as its own user" "$({ active && [ "$(ps -o user= -p "$(systemctl show -p MainPID --value $unit)")" = edgebroker ]; }; echo $?)"
tls secret1; result "users over TLS" $?
tls wrong > /dev/null 2>&1; [ $? -ne 0 ]; result "a wrong password is refused" $?

printf 'secret2' | edgebroker passwd add /etc/edgebroker/users bert --stdin > /dev/null 2>&1
systemctl reload "$unit" && until_true 10 publish -p 8883 --cafile "$ca" -u bert -P secret2; result "a reload takes new users" $?
before="$(systemctl show -p MainPID --value $unit)"
cp /etc/edgebroker/broker.toml /run/good.toml
echo 'nonsense = ' >> /etc/edgebroker/broker.toml
systemctl reload "$unit" > /dev/null 2>&1
failed=$?
cp /run/good.toml /etc/edgebroker/broker.toml
[ $failed -ne 0 ] && active && [ "$(systemctl show -p MainPID --value $unit)" = "$before" ] && tls secret1
result "a reload with a wrong file fails, and the broker goes on" $?

(cd /etc/edgebroker && edgebroker cert renew certs/*[!a].crt --dir certs) > /run/renew.log 2>&1 || (cd /etc/edgebroker && edgebroker cert renew localhost --dir certs) >> /run/renew.log 2>&1
systemctl reload "$unit" && tls secret1; result "certificates renewed by root are read by the service" $?

edgebroker pub -t kept -m value -q 1 -r > /dev/null 2>&1
systemctl restart "$unit" && until_true 20 active
[ "$(timeout 10 edgebroker sub -t kept -C 1 2> /dev/null)" = value ]; result "a restart keeps what was retained" $?
count="$(restarts)"
systemctl kill -s KILL "$unit"
until_true 20 test "$(restarts)" != "$count" ; until_true 20 active && until_true 10 publish
result "killed, it comes back by itself" $?
[ "$(timeout 10 edgebroker sub -t kept -C 1 2> /dev/null)" = value ]; result "and has what was retained" $?

edgebroker backup /run/backup.db --data-dir /var/lib/edgebroker > /run/backup.log 2>&1
systemctl stop "$unit"
rm -rf /var/lib/edgebroker/*
edgebroker restore /run/backup.db --data-dir /var/lib/edgebroker >> /run/backup.log 2>&1
systemctl start "$unit"; until_true 20 active
[ "$(timeout 10 edgebroker sub -t kept -C 1 2> /dev/null)" = value ]; status=$?
[ $status -eq 0 ] || sed 's/^/  b /' /run/backup.log
result "a backup restored by root" $status

systemctl stop "$unit"
mkdir -p /run/other
printf '[node]\ndata_dir = "/run/other"\n[[listener]]\nprotocol = "mqtt"\naddress = "127.0.0.1:1883"\n' > /run/other.toml
edgebroker run -c /run/other.toml > /run/other.log 2>&1 &
other=$!
until_true 10 publish
systemctl start --no-block "$unit"
# systemd gives up after five starts unless it is told not to.
until_true 60 bash -c "[ \"\$(systemctl show -p NRestarts --value $unit)\" -ge 7 ]"
kill "$other"
until_true 20 active && until_true 10 tls secret1; result "a busy port is waited for" $?

systemctl stop "$unit"
sed -i 's|address = "127.0.0.1:1883"|address = "10.99.0.1:1883"|' /etc/edgebroker/broker.toml
systemctl start "$unit"; until_true 20 active && tls secret1; result "others are served while an address is missing" $?
healthy | grep -q ' 503 '; result "and /ready says so" $?
ip address add 10.99.0.1/32 dev lo
until_true 20 publish -h 10.99.0.1; result "a late address is listened on" $?
healthy | grep -q ' 200 '; result "and /ready is good" $?

systemctl stop "$unit"
cp /run/good.toml /etc/edgebroker/broker.toml
echo $(($(date +%s) - 86400)) > /run/past
printf '[Service]\nEnvironment=LD_PRELOAD=/opt/past.so\n' > /etc/systemd/system/$unit.d/past.conf
chmod 755 /opt/past.so
systemctl daemon-reload
: > /run/broker.log
systemctl start "$unit"; until_true 20 active && until_true 10 tls secret1; result "with a clock in 1970 it starts and serves" $?
grep -qi 'not valid before' /run/broker.log; result "and says that its certificate is not valid yet" $?
[ "$(timeout 10 edgebroker sub -t kept -C 1 2> /dev/null)" = value ]; result "what is kept is still there" $?
rm /run/past
until_true 10 tls secret1 && [ "$(timeout 10 edgebroker sub -t kept -C 1 2> /dev/null)" = value ]; result "and when the clock is set" $?
systemctl restart "$unit" && [ "$(timeout 10 edgebroker sub -t kept -C 1 2> /dev/null)" = value ]; result "and after a restart with the right clock" $?

systemctl stop "$unit"
[ "$(systemctl show -p Result --value $unit)" = success ]; result "it stops in order" $?
echo "$failures failed"
touch /opt/results/done
systemctl --force exit 0 2> /dev/null || systemctl --force poweroff
