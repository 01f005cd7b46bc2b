/**
 * All texts of the pages, in every language. `{name}` stands for a value. A language is added by a table
 * of its own: the compiler names the texts that it lacks.
 */

import { HOME_ENGLISH, HOME_GERMAN } from '../home/texts.ts';

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

  ...HOME_ENGLISH,

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
  'player.share': 'Share',
  'player.stats': 'Stats',

  // Links to share
  'share.page': 'Link',
  'share.moment': 'Link to this moment',
  'share.embed': 'Player for a page',
  'share.copy': 'Copy',
  'share.copied': 'Copied',
  'share.byHand': 'Copy with the keyboard',

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
  'stats.hopUpload': '– encoder and upload',
  'stats.hopQueue': '– queue',
  'stats.hopTranscode': '– transcode',
  'stats.hopList': '– listing',
  'stats.hopPlayer': '– player',
  'stats.speed': 'Speed',
  'stats.player': 'Player',

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

  // Wall
  'wall.title': 'Wall',
  'wall.choose': 'Choose streams',
  'wall.other': 'Others: ids or links',
  'wall.shareable':
    'The address of this page names the choice. Whoever has the link sees these streams.',
  'wall.cancel': 'Cancel',
  'wall.show': 'Show',
  'wall.empty': 'No stream is live. One that begins appears here by itself.',
  'wall.nothing': 'Nothing at this time',
  'wall.enlarge': 'Enlarge {title}',
  'wall.shrink': 'Back from {title} to all streams',
  'wall.play': 'Play',
  'wall.pause': 'Pause',
  'wall.time': 'Time of all streams',
  'wall.sound': 'Sound',
  'wall.copy': 'Copy the playlist’s address',
  'wall.copied': 'Address copied',
  'wall.vlc': 'Open in VLC',
  'wall.file': 'Playlist file for other players',
  'wall.snapshot': 'Save a snapshot',
  'wall.saved': 'Saved as {name}',
  'wall.noPicture': 'There is no picture yet',
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

  ...HOME_GERMAN,

  'player.quality': 'Qualität',
  'player.auto': 'Automatisch',
  'player.autoNow': 'Automatisch ({level})',
  'player.audio': 'Ton',
  'player.speed': 'Tempo',
  'player.unmute': 'Ton einschalten',
  'player.play': 'Abspielen',
  'player.live': 'Live',
  'player.behindLive': '{delay} hinter live',
  'player.share': 'Teilen',
  'player.stats': 'Details',

  'share.page': 'Link',
  'share.moment': 'Link zu diesem Moment',
  'share.embed': 'Player für eine Seite',
  'share.copy': 'Kopieren',
  'share.copied': 'Kopiert',
  'share.byHand': 'Mit der Tastatur kopieren',

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
  'stats.hopUpload': '– Encoder und Upload',
  'stats.hopQueue': '– Warteschlange',
  'stats.hopTranscode': '– Transkodieren',
  'stats.hopList': '– Auflisten',
  'stats.hopPlayer': '– Player',
  'stats.speed': 'Tempo',
  'stats.player': 'Player',

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

  'wall.title': 'Wand',
  'wall.choose': 'Streams wählen',
  'wall.other': 'Weitere: Ids oder Links',
  'wall.shareable':
    'Die Adresse dieser Seite nennt die Auswahl. Wer den Link hat, sieht diese Streams.',
  'wall.cancel': 'Abbrechen',
  'wall.show': 'Zeigen',
  'wall.empty': 'Kein Stream ist live. Sobald einer beginnt, erscheint er hier.',
  'wall.nothing': 'Zu dieser Zeit nichts',
  'wall.enlarge': '{title} vergrößern',
  'wall.shrink': 'Von {title} zurück zu allen Streams',
  'wall.play': 'Abspielen',
  'wall.pause': 'Anhalten',
  'wall.time': 'Zeit aller Streams',
  'wall.sound': 'Ton',
  'wall.copy': 'Adresse der Playlist kopieren',
  'wall.copied': 'Adresse kopiert',
  'wall.vlc': 'In VLC öffnen',
  'wall.file': 'Playlist-Datei für andere Player',
  'wall.snapshot': 'Schnappschuss speichern',
  'wall.saved': 'Gespeichert als {name}',
  'wall.noPicture': 'Es gibt noch kein Bild',
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
