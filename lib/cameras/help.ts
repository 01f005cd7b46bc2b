/** What `npm run cameras -- --help` prints. */

export const HELP = `Sends all cameras of a list to a Rivulet server, each as a stream of its own.

Usage
  npm run cameras -- cameras.json [--to URL] [--key KEY] [--spool FOLDER]
  npm run cameras -- --find

cameras.json
  [
    { "name": "Front door", "address": "rtsp://USER:PASSWORD@192.168.1.20/stream1" },
    { "name": "Yard", "address": "rtsp://192.168.1.21/ch0", "stream": "yard", "audio": false }
  ]
  name            shown to viewers; the title of the stream
  address         what ffmpeg reads: rtsp, rtmp, srt, udp, http, https; a device such as
                  /dev/video0; a file, which is repeated; or testsrc, a test pattern
  stream          id of the stream (default: made of the name)
  key             upload key of the stream (default: --key)
  segmentSeconds  length of a segment, 0.5 to 30 (default 2)
  audio           false leaves the sound out
  video           "copy" or "encode" (default: copied if it is suitable H.264)
  bitrate, size   of encoded video: "2500k", "1280x720"

Options
  --to URL        the server (default http://127.0.0.1:8080)
  --key KEY       owner key (else the URL's, else RIVULET_KEY, else that of a server which
                  keeps its data in RIVULET_DATA)
  --spool FOLDER  where segments wait while the server is out of reach
  --find          lists the ONVIF cameras of the local network, and ends
  --help          prints this

A camera that goes away is opened again until it is back. Ctrl-C ends all streams;
twice stops at once. Exit codes are those of the encoder.
`;
