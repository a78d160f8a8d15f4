# Takes back what site.yml makes.
systemctl disable --now bench.service 2>/dev/null
rm -rf /srv/bench /etc/systemd/system/bench.service
systemctl daemon-reload
userdel bench 2>/dev/null
groupdel bench 2>/dev/null
:
