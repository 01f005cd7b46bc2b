/** The texts of web/texts/english-home.ts in German, in the same order. */

import type { HomeTexts } from './english-home.ts';

export const GERMAN_HOME: HomeTexts = {
  'home.title': 'Streams',
  'home.forOwner': 'Für den Eigentümer',
  'home.forgetKey': 'Schlüssel vergessen',
  'home.keyTitle': 'Schlüssel des Eigentümers',
  'home.keyWhy':
    'Mit ihm sieht und ändert der Eigentümer alle Streams. Zum Ansehen genügt die Id oder der Link.',
  'home.noneListed': 'Hier sind keine Streams aufgeführt. Zum Ansehen oben Link oder Id öffnen.',
  'home.showStreams': 'Streams zeigen',
  'home.remember': 'Auf diesem Gerät merken',
  'home.empty':
    'Noch keine Streams. Legen Sie einen an, oder starten Sie einen Encoder mit dem Schlüssel des Eigentümers.',
  'home.noneFound': 'Kein Stream passt dazu.',
  'home.wrongKey': 'Der Server nimmt diesen Schlüssel nicht an.',
  'home.unreachable': 'Der Server ist nicht erreichbar. Neuer Versuch…',
  'home.search': 'Streams suchen',
  'home.filter': 'Zeigen',
  'home.all': 'Alle',
  'home.live': 'Live',
  'home.recordings': 'Aufzeichnungen',
  'home.viewers': '{count} Zuschauer',
  'home.endedAgo': 'Vor {span} beendet',
  'home.manage': 'Verwalten',
  'home.manageStream': '{title} verwalten',
  'home.failed': 'Das ging nicht: {reason}',

  'create.title': 'Neuer Stream',
  'create.submit': 'Stream anlegen',
  'create.more': 'Weitere Einstellungen',
  'create.exists': 'Es gibt schon einen Stream mit dieser Id. Bitte eine andere wählen.',

  'setting.title': 'Titel',
  'setting.titleHelp': 'Steht über dem Player und in Vorschauen des Links.',
  'setting.id': 'Id',
  'setting.idHelp':
    'Steht in jeder Adresse des Streams und bleibt für immer: Buchstaben, Ziffern, „-“ und „_“.',
  'setting.listed': 'Auf der Startseite aufführen',
  'setting.listedHelp': 'Alle sehen ihn hier. Sonst finden ihn nur die, die den Link haben.',
  'setting.dvrWindow': 'Zurückspulen während der Sendung',
  'setting.dvrWindowHelp':
    'So weit können Zuschauer zurück, solange gesendet wird. Die Aufzeichnung hat alles.',
  'setting.toTheStart': 'Bis zum Anfang',
  'setting.idleTimeout': 'Ende nach Stille von',
  'setting.idleTimeoutHelp':
    'Der Stream endet von selbst, wenn so lange nichts kommt. Ein Encoder, der später wiederkommt, öffnet ihn wieder.',
  'setting.never': 'Nie von selbst',
  'setting.ladder': 'Qualitäten',
  'setting.ladderHelp':
    'Weniger brauchen weniger Rechenzeit und Platz. Keine ist größer als die Quelle.',
  'setting.ladder.all': 'Full HD: 1080p bis 240p',
  'setting.ladder.hd': 'HD: 720p bis 240p',
  'setting.ladder.small': 'Klein: 480p bis 240p',
  'setting.ladder.one': 'Eine: 720p',
  'setting.ladder.own': 'Eigene: {names}',
  'setting.targetDuration': 'Länge der Segmente',
  'setting.targetDurationHelp':
    'Längere werden geteilt. Mit kurzen sind Zuschauer näher an live. Sie steht fest, sobald das erste Segment da ist.',
  'setting.asSent': 'Wie der Encoder sie sendet',
  'setting.defaultAudio': 'Sprache ohne Auswahl',
  'setting.defaultAudioHelp':
    'Was hört, wer nichts gewählt hat. Nach Ländern lässt es sich über die API einstellen.',
  'setting.firstAudio': 'Die erste des Streams',
  'setting.defaultCaptions': 'Untertitel ohne Auswahl',
  'setting.defaultCaptionsHelp':
    'Was liest, wer nichts gewählt hat. Nach Ländern lässt es sich über die API einstellen.',
  'setting.noCaptions': 'Keine',
  'setting.webm': 'WebM-Dateien',
  'setting.webmHelp':
    'Segmente als WebM werden noch einmal kodiert, was ebenso viel Rechenzeit kostet.',
  'setting.webm.onDemand': 'Wenn ein Zuschauer sie verlangt',
  'setting.webm.always': 'Mit jedem Segment',
  'setting.webm.never': 'Nie',
  'setting.redundant': 'Zwei Encoder senden ihn',
  'setting.redundantHelp':
    'Beide senden dieselben Segmentnummern; die Kopie, die zuerst kommt, gilt.',
  'setting.save': 'Einstellungen sichern',
  'setting.saved': 'Gesichert',
  'setting.nothingChanged': 'Es wurde nichts geändert.',

  'manage.watch': 'Ansehen',
  'manage.signal': 'Segmente',
  'manage.signalNone': 'Noch keines gekommen',
  'manage.signalFlowing': 'Kommen an, das letzte vor {span}',
  'manage.signalSilent': 'Seit {span} keines',
  'manage.signalOver': 'Die Sendung ist zu Ende',
  'manage.backlog': 'Rückstand',
  'manage.backlogNone': 'Nichts wartet',
  'manage.backlogSome': 'Warten: {count}, das erste seit {span}',
  'manage.worker': 'Worker',
  'manage.workerIdle': 'Nichts zu tun',
  'manage.workerKeepsUp': 'Kommt mit',
  'manage.workerLate': 'Kommt nicht mit: weniger Qualitäten oder mehr Worker',
  'manage.viewers': 'Sehen live zu',
  'manage.storage': 'Belegter Speicher',
  'manage.length': 'Länge',
  'manage.send': 'An diesen Stream senden',
  'manage.key': 'Schlüssel zum Senden',
  'manage.keyOnce':
    'Jetzt kopieren: er wird nur dieses eine Mal gezeigt. Wer ihn hat, kann an diesen Stream senden.',
  'manage.keyHidden':
    'Er wurde gezeigt, als er gemacht wurde. Ging er verloren, dann einen neuen machen: der alte gilt nicht mehr.',
  'manage.newKey': 'Neuen Schlüssel machen',
  'manage.newKeyWhy': 'Encoder mit dem jetzigen Schlüssel werden von da an abgewiesen.',
  'manage.fillKey': 'Statt UPLOAD_KEY den Schlüssel zum Senden einsetzen.',
  'manage.how': 'Womit',
  'manage.ffmpeg': 'ffmpeg',
  'manage.ffmpegHow': 'Statt INPUT eine Datei, eine Kamera oder eine Adresse einsetzen.',
  'manage.obs': 'OBS',
  'manage.obs1': 'Einstellungen › Ausgabe: Ausgabemodus „Erweitert“, dann „Aufnahme“ öffnen.',
  'manage.obs2': 'Typ: Benutzerdefinierte Ausgabe (FFmpeg). Ausgabetyp: Ausgabe an URL.',
  'manage.obs3': 'Dateipfad oder URL:',
  'manage.obs4': 'Containerformat: hls. Muxer-Einstellungen:',
  'manage.obs5':
    'Videoencoder: libx264, Keyframe-Intervall 60 Bilder. Audioencoder: aac. Dann Aufnahme starten.',
  'manage.encoder': 'Encoder-Client',
  'manage.encoderHow':
    'Hält Segmente auf der Platte, solange das Netz fehlt. INPUT ist eine Datei, eine Kamera oder eine Adresse; testsrc ist ein Testbild.',
  'manage.studio': 'Browser',
  'manage.studioHow':
    'Öffnet Kamera, Mikrofon und Bildschirm im Browser. Der Link enthält den Schlüssel: nur dem Sender geben.',
  'manage.openStudio': 'Studio öffnen',
  'manage.settings': 'Einstellungen',
  'manage.clips': 'Clips',
  'manage.clipsNone':
    'Es sind keine Clips gesichert. Sie entstehen beim Ansehen: Clip, dann Clip behalten.',
  'manage.clipRemove': 'Entfernen',
  'manage.clipRemoveOne': 'Den Clip „{title}“ entfernen',
  'manage.end': 'Stream beenden',
  'manage.endWhy': 'Zuschauer sehen das Ende und bekommen die Aufzeichnung.',
  'manage.ended': 'Er ist beendet.',
  'manage.delete': 'Stream löschen',
  'manage.deleteWhy': 'Seine Aufzeichnung geht mit, für immer. Zur Bestätigung die Id eingeben:',
  'manage.deleteForever': 'Für immer löschen',
  'manage.file': 'Datei',
  'manage.fileHow':
    'Sendet eine Videodatei beliebiger Länge, die der Server schneidet und umrechnet.',

  'upload.title': 'Datei hochladen',
  'upload.file': 'Videodatei',
  'upload.fileHelp':
    'MP4, MOV, WebM, MKV, TS oder AVI, beliebig lang. Der Anfang lässt sich ansehen, während der Rest noch verarbeitet wird.',
  'upload.name': 'Titel',
  'upload.submit': 'Hochladen',
  'upload.none': 'Zuerst eine Datei wählen.',
  'upload.other':
    'Das ist eine andere Datei. {name} ({size}) wählen, um deren Upload fortzusetzen.',
  'upload.resume':
    '{share} % von {name} sind auf dem Server. Dieselbe Datei noch einmal wählen, um den Rest zu senden.',
  'upload.sent': '{sent} von {size} gesendet',
  'upload.offline': 'Der Server ist nicht erreichbar. Neuer Versuch …',
  'upload.stop': 'Anhalten',
  'upload.stopped':
    'Angehalten. Was gesendet ist, bleibt: dieselbe Datei noch einmal wählen, um fortzufahren.',
  'upload.processed': '{length} lassen sich ansehen, der Rest wird verarbeitet',
  'upload.done': 'Fertig: {length}',
  'upload.cardSent': '{share} % der Datei hochgeladen',
  'upload.cardProcessed': 'Datei wird verarbeitet',
  'upload.cardFailed': 'Die Datei ließ sich nicht verarbeiten',
};
