/** What a host of the lab answered, with one publisher and two segments. */
export function sampleText(
  nonce: string,
  change: { now?: number; bytes?: number; requests?: number; cpu?: string; sent?: number } = {},
): string[] {
  const { now = 1000.5, bytes = 694154, requests = 40, cpu = "1000 0 500 8000 100 0 50 0 0 0", sent = 5000 } = change;
  return `now\t${now}
cpu\t${cpu}
mem\t1024000 512000
net\t4000 ${sent}
temp\t51234
power\t0x50000
unit\tedge-rtmp 1
unit\tedge-http 1
tmpfs\ttmpfs 4096 16384 12288
claim\tmain
claim\told
file\t/etc/edge/live 400.500
file\t/run/edge/hls/main.m3u8 999.250
list\t/run/edge/hls/main.m3u8 2.023 2.000 1.977
part\trtmp
HTTP/1.1 200 OK\r
Content-Type: text/xml\r
\r
<rtmp>
<server>
<application>
<name>hls</name>
<live>
<stream>
<name>main</name>
<time>8070</time><bw_in>0</bw_in>
<bytes_in>${bytes}</bytes_in>
<client><id>8</id><address>127.0.0.1:1982/out</address><time>8070</time><flashver>ngx-local-relay</flashver><active/></client>
<client><id>5</id><address>10.213.77.1</address><time>8245</time><flashver>FMLE/3.0 (compatible; Lavf59.27</flashver><publishing/><active/></client>
<meta><video><width>640</width><height>360</height><frame_rate>25</frame_rate><codec>H264</codec><profile>Baseline</profile></video><audio><codec>AAC</codec><channels>1</channels></audio></meta>
<nclients>2</nclients>
<publishing/>
<active/>
</stream>
</live>
</application>
</server>
<server>
<application>
<name>out</name>
<live>
<stream>
<name>main</name>
<bytes_in>1</bytes_in>
<client><address>127.0.0.1</address><publishing/></client>
<publishing/>
</stream>
</live>
</application>
</server>
</rtmp>
${nonce}
part\ttraffic
HTTP/1.1 200 OK\r
\r
{"connections":{"active":8},"filterZones":{"live::*":{"main":{"requestCounter":900}},"playlists::*":{"main":{"requestCounter":${requests}},"\\u001b[2J":{"requestCounter":1}}}}
${nonce}`.split("\n");
}
