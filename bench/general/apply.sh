# What site.yml makes, by hand: no looks before, no report after.
set -e
root=/srv/bench
mkdir -p $root
getent group bench >/dev/null || groupadd -r bench
id bench >/dev/null 2>&1 || useradd -r -g bench -d $root/home -s /usr/sbin/nologin -M bench
for name in etc log data www bin; do install -d -o bench -g bench -m 0750 $root/$name; done
{
    printf 'server {\n  root %s/www;\n' $root
    for name in ada grace linus; do printf '  location /%s { alias %s/www/%s.html; }\n' $name $root $name; done
    echo '}'
} >$root/etc/site.conf
for name in ada grace linus; do printf '<!doctype html>\n<title>%s</title>\n<p>The page of %s.\n' $name $name >$root/www/$name.html; done
echo hello >$root/etc/greeting
printf '#!/bin/sh\ndate +%%s >%s/log/last\n' $root >$root/bin/job
chmod 755 $root/bin/job
printf '[Unit]\nDescription=Bench\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=%s/bin/job\n[Install]\nWantedBy=multi-user.target\n' $root >/etc/systemd/system/bench.service
systemctl daemon-reload
systemctl enable -q --now bench.service
printf 'workers = 4\ntimeout = 30\ncache = 64m\n# BEGIN ANSIBLE MANAGED BLOCK\nuser = bench\ngroup = bench\n# END ANSIBLE MANAGED BLOCK\n' >$root/etc/settings
ln -sfn site.conf $root/etc/current
rm -rf $root/etc/old
cp /etc/debian_version $root/etc/version
touch $root/data/made $root/log/bench.log $root/told
dpkg-query -W curl python3 >/dev/null
for name in one two three four five six seven eight; do echo $name >$root/data/$name; done
chown -R bench:bench $root/data
