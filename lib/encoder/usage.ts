/** What `--help` prints. */

export const USAGE = `Sends a camera, a stream or a file to a Rivulet server, segment by segment.

Usage
  npm run encoder -- INPUT --to URL --stream ID [options]
  npm run encoder -- relay --to URL [--stream ID] [--port N] [options]

INPUT
  movie.mkv               a file of any kind
  /dev/video0             a camera; also alsa:NAME, pulse:NAME, x11grab:NAME,
                          avfoundation:NAME, dshow:NAME (NAME as ffmpeg takes it)
  rtsp://… rtmp://…       any address that ffmpeg reads; also srt, udp, rtp, http, https
  rtmp://0.0.0.0:1935/live/x?listen=1
                          waits for an encoder such as OBS (add --copy to keep its pictures)
  -                       standard input
  testsrc                 a test pattern with clock, frame counter and tones
  relay                   takes what an unmodified encoder pushes to this machine:
                          ffmpeg … -f hls -method PUT http://127.0.0.1:PORT/ID/out.m3u8

Where to
  --to URL                the server; https://x:KEY@host/ carries the key as well
  --stream ID             the stream: 1 to 64 letters, digits, "-" or "_"
  --key KEY               upload key or owner key (else the URL's, else RIVULET_KEY)
  --title TEXT            title of the stream; needs the owner key
  --session NAME          name of this run (made if left out; a file's is made from
                          its content, so that a second run resumes)

What is sent
  --segment-seconds N     length of a segment (2 for live inputs, 4 for files)
  --copy                  keep the source's pictures as they are
  --encode                make H.264 and AAC anew
                          (else: copied if H.264 with keyframes where they are needed)
  --bitrate N             video bit rate when encoding: 2500k, 4M
  --size WxH              largest picture when encoding: 1280x720
  --duration SECONDS      stop after so much media

Pace
  --live                  send a file at the pace of a clock, as a live event
  --as-fast-as-possible   send as fast as the line allows (files do)
  --loop                  begin a file again at its end, live, until interrupted
  --once                  stop when a stream or camera fails instead of trying again
  --parallel N            uploads at once (4 for files, 2 for live inputs)

Without network
  --spool FOLDER          where segments wait for their receipts
                          (default: the user's state folder)
  --retry-for SECONDS     give up when the server was away so long
                          (3600 for files; live inputs never give up)
  --port N                relay: port on 127.0.0.1 (0: any free one, printed)
  --quiet                 print errors only
  --help                  print this

Examples
  npm run encoder -- testsrc --to http://127.0.0.1:8080 --stream demo --key KEY
  npm run encoder -- movie.mp4 --to https://x:KEY@stream.example.org --stream movie
  npm run encoder -- /dev/video0 --to https://stream.example.org --stream cam --encode --bitrate 4M
  ffmpeg -i … -f mpegts - | npm run encoder -- - --to https://stream.example.org --stream show

Exit codes: 0 all was received; 1 wrong use; 2 gave up, or segments were refused;
130 interrupted (once: the current segment is finished and sent; twice: stop now).
`;
