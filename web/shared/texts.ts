/**
 * All texts of the pages, in every language. `{name}` stands for a value. A language is added by a table
 * of its own: the compiler names the texts that it lacks.
 */

export const ENGLISH = {
  // Frame
  'open.label': 'Id of a stream, or a link to it',
  'open.placeholder': 'Id or link',
  'open.button': 'Open',

  // Spans of time
  'span.seconds': '{count} s',
  'span.minutes': '{count} min',
  'span.hours': '{count} h',
  'span.hoursAndMinutes': '{hours} h {minutes} min',
  'span.day': '1 day',
  'span.days': '{count} days',

  // Streams
  'badge.live': 'Live',
  'badge.soon': 'Not started',
  'badge.recording': 'Recording',
  'badge.silent': 'No signal',
  'badge.ended': 'Ended',
  'trouble.silent': 'Nothing from the broadcaster for {span}',
  'trouble.late': 'The server is {span} behind with transcoding',
  'age.waiting': 'Waiting for its first segment',
  'age.started': 'Started {span} ago',
  'age.ended': '{length}, ended {span} ago',
  'stream.audioOnly': 'audio only',

  // Home
  'home.title': 'Streams',
  'home.forgetKey': 'Forget key',
  'home.keyTitle': 'Owner key',
  'home.keyWhy':
    'With it the owner sees all streams, and changes them. To watch one, its id or link is enough: open it above.',
  'home.noneListed': 'No streams are listed here.',
  'home.showStreams': 'Show streams',
  'home.remember': 'Remember on this device',
  'home.empty': 'No streams yet. Start an encoder, and it appears here.',
  'home.wrongKey': 'The server does not accept that key.',
  'home.unreachable': 'The server cannot be reached. Trying again…',

  // Player
  'player.quality': 'Quality',
  'player.auto': 'Auto',
  'player.autoNow': 'Auto ({level})',
  'player.audio': 'Audio',
  'player.speed': 'Speed',
  'player.unmute': 'Tap for sound',
  'player.play': 'Play',
  'player.live': 'Live',
  'player.behindLive': '{delay} behind live',
  'player.share': 'Copy link',
  'player.shared': 'Link copied',
  'player.shareByHand': 'Copy it from the address bar',
  'player.stats': 'Stats',

  // Markers
  'markers.title': 'Markers',
  'markers.filter': 'Class',
  'markers.all': 'All',

  // Details of playback
  'stats.video': 'Video',
  'stats.rungBitrate': 'Rung bitrate',
  'stats.bandwidth': 'Bandwidth',
  'stats.buffer': 'Buffer',
  'stats.dropped': 'Dropped frames',
  'stats.droppedOf': '{dropped} of {total}',
  'stats.behindNewest': 'Behind newest segment',
  'stats.behindLive': 'Behind live',
  'stats.speed': 'Speed',
  'stats.player': 'Player',

  // Studio
  'studio.title': 'Studio',
  'studio.doorTitle': 'Go live from this browser',
  'studio.doorWhy': 'Open the link that the owner of the stream gave you, or type its id and key.',
  'studio.streamId': 'Id of the stream',
  'studio.key': 'Upload key, or the owner key',
  'studio.enter': 'Continue',
  'studio.wrongKey': 'This key does not open the stream. What was recorded is kept on this device.',
  'studio.preview': 'Preview',
  'studio.serverPicture': 'What viewers see',
  'studio.level': 'Level of the microphone',
  'studio.microphone': 'Microphone',
  'studio.camera': 'Camera',
  'studio.screen': 'Screen',
  'studio.noneChosen': 'None',
  'studio.goLive': 'Go live',
  'studio.starting': 'Starting…',
  'studio.stop': 'Stop',
  'studio.ending': 'Sending the rest…',
  'studio.settings': 'Settings',
  'studio.streamTitle': 'Title',
  'studio.quality': 'Quality',
  'studio.link': 'Link for viewers',
  'studio.showServer': 'Watch what the server makes of it',
  'studio.promise':
    'What you record is kept on this device until the server has it. A broken line loses nothing.',
  'studio.leave': 'Another stream',
  'studio.endedTitle': 'The broadcast has ended',
  'studio.endedNote': 'Everything has arrived.',
  'studio.recording': 'Watch the recording',
  'studio.again': 'Go live again',
  'studio.confirmTitle': 'End the broadcast?',
  'studio.confirmText': 'Viewers see its end, and the recording becomes available.',
  'studio.goOn': 'Go on',
  'studio.endNow': 'End it',
  'studio.asking': 'Allow camera and microphone to see yourself here.',
  'studio.denied':
    'The browser may not use camera or microphone. Allow them beside the address, then load the page again.',
  'studio.noDevice': 'No camera and no microphone was found. Connect one; it is used by itself.',
  'studio.busyDevice':
    'Another program uses the camera or the microphone. Close it, and try again.',
  'studio.noDevices':
    'This browser gives no camera here. Pages need HTTPS for it, or an address of this machine.',
  'studio.unsupported':
    'This browser cannot encode video for streaming. Use a recent Chrome, Edge or Safari.',
  'studio.failed': 'The encoder of this browser gave up. What it made is sent.',
  'studio.busy': 'This stream is open in another tab of this browser. Go on there, or close it.',
  'studio.alreadySent':
    'This stream is being sent at this moment. Going live here takes its place.',
  'studio.lost': '{device} is gone. The broadcast goes on without it.',
  'studio.replaced': '{device} is gone. {instead} has taken its place.',
  'studio.lineGood': 'Everything arrives.',
  'studio.lineLeft': '{span} are on their way.',
  'studio.lineSlow': 'The line is slow: {span} wait to be sent. The picture takes fewer bits.',
  'studio.lineOffline': 'No network. {span} are kept on this device, and sent when it is back.',
  'studio.lineNoServer':
    'The server cannot be reached. {span} are kept on this device, and sent when it is back.',
  'studio.lineKey': 'The server does not accept the key. {span} are kept on this device.',
  'studio.lineOther':
    'Another encoder sends this stream. Stop it, then load this page again: {span} are kept.',
  'studio.factRate': 'Bitrate',
  'studio.factBacklog': 'Not yet sent',
  'studio.factDropped': 'Dropped frames',
  'studio.factLost': 'Lost segments',

  // What happens to a viewer
  'viewing.connecting': 'Connecting…',
  'viewing.starting': 'Starting…',
  'viewing.startingDetail': 'The broadcast has begun. The server is preparing it.',
  'viewing.notStarted': 'Not started yet',
  'viewing.notStartedDetail': 'The broadcast begins here by itself. You can leave this page open.',
  'viewing.playbackProblem': 'Playback problem',
  'viewing.reloading': 'Loading the stream again where you were…',
  'viewing.restartingDecoder': 'Restarting the decoder…',
  'viewing.streamEnded': 'The stream has ended',
  'viewing.recordingReady': 'The recording is ready.',
  'viewing.fromStart': 'Watch from the start',
  'viewing.recordingEnd': 'End of the recording',
  'viewing.again': 'Watch again',
  'viewing.unknown': 'No such stream',
  'viewing.removed': 'It was removed while you watched.',
  'viewing.unknownDetail': 'Nothing is stored under this id. Check the link for typing errors.',
  'viewing.tryAgain': 'Try again',
  'viewing.failed': 'This browser cannot play the stream',
  'viewing.failedDetail': 'Restarting the decoder and loading it again did not help. {detail}',
  'viewing.slowLine': 'Your connection is too slow',
  'viewing.slowLineDetail': 'The video arrives more slowly than it plays.',
  'viewing.noServer': 'The server cannot be reached',
  'viewing.reconnecting': 'Reconnecting…',
  'viewing.reconnectingAgain': 'Reconnecting (attempt {attempt})…',
  'viewing.serverError': 'The server has a problem',
  'viewing.serverErrorDetail': 'It answers with errors. Trying again…',
  'viewing.serverErrorAgain': 'It answers with errors. Trying again (attempt {attempt})…',
  'viewing.offline': 'You are offline',
  'viewing.offlineDetail': 'Playback goes on by itself when the network is back.',
  'viewing.buffering': 'Buffering…',
  'viewing.serverBehind': 'The server is behind',
  'viewing.serverBehindDetail': 'The broadcaster sends, but new video waits for transcoding.',
  'viewing.serverBehindSince':
    'The broadcaster sends, but new video waits for transcoding since {time}.',
  'viewing.silent': 'The broadcaster sends nothing',
  'viewing.silentDetail': 'Nothing has come. Playback resumes when it does.',
  'viewing.silentSince': 'Nothing has come since {time}. Playback resumes when it does.',
  'viewing.over': 'The broadcaster has ended the broadcast',
  'viewing.overDetail': 'If it resumes, it resumes here; if not, the recording follows.',
} as const;

export type TextKey = keyof typeof ENGLISH;
type Texts = Readonly<Record<TextKey, string>>;

export const GERMAN: Texts = {
  'open.label': 'Id eines Streams oder ein Link dorthin',
  'open.placeholder': 'Id oder Link',
  'open.button': 'Öffnen',

  'span.seconds': '{count} s',
  'span.minutes': '{count} min',
  'span.hours': '{count} h',
  'span.hoursAndMinutes': '{hours} h {minutes} min',
  'span.day': '1 Tag',
  'span.days': '{count} Tagen',

  'badge.live': 'Live',
  'badge.soon': 'Nicht begonnen',
  'badge.recording': 'Aufzeichnung',
  'badge.silent': 'Kein Signal',
  'badge.ended': 'Beendet',
  'trouble.silent': 'Seit {span} nichts vom Sender',
  'trouble.late': 'Der Server ist mit dem Transkodieren {span} zurück',
  'age.waiting': 'Wartet auf das erste Segment',
  'age.started': 'Vor {span} begonnen',
  'age.ended': '{length}, vor {span} beendet',
  'stream.audioOnly': 'nur Ton',

  'home.title': 'Streams',
  'home.forgetKey': 'Schlüssel vergessen',
  'home.keyTitle': 'Schlüssel des Eigentümers',
  'home.keyWhy':
    'Mit ihm sieht und ändert der Eigentümer alle Streams. Zum Ansehen genügt die Id oder der Link: oben öffnen.',
  'home.noneListed': 'Hier sind keine Streams aufgeführt.',
  'home.showStreams': 'Streams zeigen',
  'home.remember': 'Auf diesem Gerät merken',
  'home.empty': 'Noch keine Streams. Sobald ein Encoder sendet, erscheint er hier.',
  'home.wrongKey': 'Der Server nimmt diesen Schlüssel nicht an.',
  'home.unreachable': 'Der Server ist nicht erreichbar. Neuer Versuch…',

  'player.quality': 'Qualität',
  'player.auto': 'Automatisch',
  'player.autoNow': 'Automatisch ({level})',
  'player.audio': 'Ton',
  'player.speed': 'Tempo',
  'player.unmute': 'Ton einschalten',
  'player.play': 'Abspielen',
  'player.live': 'Live',
  'player.behindLive': '{delay} hinter live',
  'player.share': 'Link kopieren',
  'player.shared': 'Link kopiert',
  'player.shareByHand': 'Bitte aus der Adresszeile kopieren',
  'player.stats': 'Details',

  'markers.title': 'Marken',
  'markers.filter': 'Klasse',
  'markers.all': 'Alle',

  'stats.video': 'Bild',
  'stats.rungBitrate': 'Bitrate der Stufe',
  'stats.bandwidth': 'Bandbreite',
  'stats.buffer': 'Puffer',
  'stats.dropped': 'Ausgelassene Bilder',
  'stats.droppedOf': '{dropped} von {total}',
  'stats.behindNewest': 'Hinter dem neuesten Segment',
  'stats.behindLive': 'Hinter live',
  'stats.speed': 'Tempo',
  'stats.player': 'Player',

  'studio.title': 'Studio',
  'studio.doorTitle': 'Aus diesem Browser live senden',
  'studio.doorWhy':
    'Öffnen Sie den Link, den Sie vom Eigentümer des Streams haben, oder geben Sie Id und Schlüssel ein.',
  'studio.streamId': 'Id des Streams',
  'studio.key': 'Schlüssel des Streams oder des Eigentümers',
  'studio.enter': 'Weiter',
  'studio.wrongKey':
    'Dieser Schlüssel öffnet den Stream nicht. Was aufgenommen wurde, bleibt auf diesem Gerät.',
  'studio.preview': 'Vorschau',
  'studio.serverPicture': 'Was die Zuschauer sehen',
  'studio.level': 'Pegel des Mikrofons',
  'studio.microphone': 'Mikrofon',
  'studio.camera': 'Kamera',
  'studio.screen': 'Bildschirm',
  'studio.noneChosen': 'Nicht gewählt',
  'studio.goLive': 'Live gehen',
  'studio.starting': 'Es beginnt…',
  'studio.stop': 'Beenden',
  'studio.ending': 'Der Rest wird gesendet…',
  'studio.settings': 'Einstellungen',
  'studio.streamTitle': 'Titel',
  'studio.quality': 'Qualität',
  'studio.link': 'Link für Zuschauer',
  'studio.showServer': 'Ansehen, was der Server daraus macht',
  'studio.promise':
    'Die Aufnahme bleibt auf diesem Gerät, bis der Server sie hat. Eine Störung der Leitung kostet nichts.',
  'studio.leave': 'Anderer Stream',
  'studio.endedTitle': 'Die Sendung ist beendet',
  'studio.endedNote': 'Alles ist angekommen.',
  'studio.recording': 'Aufzeichnung ansehen',
  'studio.again': 'Noch einmal live gehen',
  'studio.confirmTitle': 'Die Sendung beenden?',
  'studio.confirmText': 'Zuschauer sehen ihr Ende, und die Aufzeichnung wird verfügbar.',
  'studio.goOn': 'Weiter senden',
  'studio.endNow': 'Beenden',
  'studio.asking': 'Erlauben Sie Kamera und Mikrofon, um sich hier zu sehen.',
  'studio.denied':
    'Der Browser darf Kamera oder Mikrofon nicht nutzen. Erlauben Sie es neben der Adresse und laden Sie die Seite neu.',
  'studio.noDevice':
    'Keine Kamera und kein Mikrofon gefunden. Schließen Sie eines an; es wird von selbst benutzt.',
  'studio.busyDevice':
    'Ein anderes Programm nutzt Kamera oder Mikrofon. Schließen Sie es und versuchen Sie es noch einmal.',
  'studio.noDevices':
    'Dieser Browser gibt hier keine Kamera frei. Dafür braucht die Seite HTTPS oder eine Adresse dieses Rechners.',
  'studio.unsupported':
    'Dieser Browser kann kein Video zum Senden kodieren. Nehmen Sie einen neueren Chrome, Edge oder Safari.',
  'studio.failed': 'Der Encoder dieses Browsers hat aufgegeben. Was fertig ist, wird gesendet.',
  'studio.busy':
    'Dieser Stream ist in einem anderen Tab dieses Browsers offen. Senden Sie dort weiter, oder schließen Sie ihn.',
  'studio.alreadySent':
    'Dieser Stream wird gerade gesendet. Wer hier live geht, nimmt den Platz ein.',
  'studio.lost': '{device} ist weg. Die Sendung geht ohne weiter.',
  'studio.replaced': '{device} ist weg. {instead} ist an der Stelle.',
  'studio.lineGood': 'Alles kommt an.',
  'studio.lineLeft': '{span} sind unterwegs.',
  'studio.lineSlow': 'Die Leitung ist langsam: {span} warten. Das Bild bekommt weniger Bits.',
  'studio.lineOffline':
    'Kein Netz. {span} bleiben auf diesem Gerät und werden gesendet, wenn es wieder da ist.',
  'studio.lineNoServer':
    'Der Server ist nicht erreichbar. {span} bleiben auf diesem Gerät und werden später gesendet.',
  'studio.lineKey': 'Der Server nimmt den Schlüssel nicht an. {span} bleiben auf diesem Gerät.',
  'studio.lineOther':
    'Ein anderer Encoder sendet diesen Stream. Beenden Sie ihn und laden Sie neu: {span} bleiben hier.',
  'studio.factRate': 'Bitrate',
  'studio.factBacklog': 'Noch nicht gesendet',
  'studio.factDropped': 'Ausgelassene Bilder',
  'studio.factLost': 'Verlorene Segmente',

  'viewing.connecting': 'Verbinden…',
  'viewing.starting': 'Es beginnt…',
  'viewing.startingDetail': 'Die Sendung hat begonnen. Der Server bereitet sie vor.',
  'viewing.notStarted': 'Noch nicht begonnen',
  'viewing.notStartedDetail':
    'Die Sendung beginnt hier von selbst. Diese Seite kann offen bleiben.',
  'viewing.playbackProblem': 'Problem bei der Wiedergabe',
  'viewing.reloading': 'Der Stream wird an derselben Stelle neu geladen…',
  'viewing.restartingDecoder': 'Der Decoder wird neu gestartet…',
  'viewing.streamEnded': 'Der Stream ist zu Ende',
  'viewing.recordingReady': 'Die Aufzeichnung ist bereit.',
  'viewing.fromStart': 'Von Anfang an ansehen',
  'viewing.recordingEnd': 'Ende der Aufzeichnung',
  'viewing.again': 'Noch einmal ansehen',
  'viewing.unknown': 'Diesen Stream gibt es nicht',
  'viewing.removed': 'Er wurde entfernt, während er lief.',
  'viewing.unknownDetail':
    'Unter dieser Id ist nichts gespeichert. Ist der Link richtig geschrieben?',
  'viewing.tryAgain': 'Noch einmal versuchen',
  'viewing.failed': 'Dieser Browser kann den Stream nicht abspielen',
  'viewing.failedDetail': 'Auch ein neuer Decoder und neues Laden halfen nicht. {detail}',
  'viewing.slowLine': 'Die Verbindung ist zu langsam',
  'viewing.slowLineDetail': 'Das Video kommt langsamer an, als es läuft.',
  'viewing.noServer': 'Der Server ist nicht erreichbar',
  'viewing.reconnecting': 'Neu verbinden…',
  'viewing.reconnectingAgain': 'Neu verbinden (Versuch {attempt})…',
  'viewing.serverError': 'Der Server hat ein Problem',
  'viewing.serverErrorDetail': 'Er antwortet mit Fehlern. Neuer Versuch…',
  'viewing.serverErrorAgain': 'Er antwortet mit Fehlern. Neuer Versuch ({attempt})…',
  'viewing.offline': 'Keine Netzverbindung',
  'viewing.offlineDetail': 'Die Wiedergabe geht von selbst weiter, wenn das Netz wieder da ist.',
  'viewing.buffering': 'Laden…',
  'viewing.serverBehind': 'Der Server ist im Rückstand',
  'viewing.serverBehindDetail': 'Der Sender sendet, aber neues Video wartet auf das Transkodieren.',
  'viewing.serverBehindSince':
    'Der Sender sendet, aber neues Video wartet seit {time} auf das Transkodieren.',
  'viewing.silent': 'Der Sender sendet nichts',
  'viewing.silentDetail': 'Es ist nichts gekommen. Sobald etwas kommt, geht es weiter.',
  'viewing.silentSince': 'Seit {time} ist nichts gekommen. Sobald etwas kommt, geht es weiter.',
  'viewing.over': 'Der Sender hat die Sendung beendet',
  'viewing.overDetail': 'Geht sie weiter, dann hier; wenn nicht, folgt die Aufzeichnung.',
};

const LANGUAGES: ReadonlyMap<string, Texts> = new Map([
  ['en', ENGLISH],
  ['de', GERMAN],
]);

/** The first of the viewer's languages that the pages have; English for all others. */
export const chooseLanguage = (wanted: readonly string[]): string =>
  wanted.map((tag) => tag.toLowerCase().split('-')[0] ?? '').find((tag) => LANGUAGES.has(tag)) ??
  'en';

let language = 'en';

/** Of all texts from now on. */
export function setLanguage(wanted: readonly string[]): void {
  language = chooseLanguage(wanted);
}

export const currentLanguage = (): string => language;

export function text(key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
  const texts = LANGUAGES.get(language) ?? ENGLISH;
  return texts[key].replaceAll(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}
