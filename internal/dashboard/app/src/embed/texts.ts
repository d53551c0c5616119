// What a product's customers read, in their languages.

const en = {
  loading: "Loading",
  empty: "No usage in this period.",
  waiting: "Waiting to be signed in.",
  expired: "This page is no longer signed in. Reload it to go on.",
  renewing: "Signing in anew.",
  unreachable: "The usage cannot be loaded now. It is tried again.",
  refused: "This usage cannot be shown.",
  total: "Total",
  period: "Period",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
  month: "This month",
  "last-month": "Last month",
  year: "This year",
  table: "All numbers",
  time: "Time",
  value: "Usage",
  none: "(none)",
  others: "{} others",
  limits: "Limits",
  of: "{} of {}",
  left: "{} left",
  resets: "Begins anew on {}",
  balance: "Balance",
  available: "Available",
  reserved: "Reserved",
  credits: "Credits",
  expires: "Expires",
  never: "never",
};

/** The texts of one language. */
export type Texts = Readonly<Record<keyof typeof en, string>>;

const de: Texts = {
  loading: "Wird geladen",
  empty: "Kein Verbrauch in diesem Zeitraum.",
  waiting: "Warten auf die Anmeldung.",
  expired: "Die Anmeldung ist abgelaufen. Laden Sie die Seite neu.",
  renewing: "Wird neu angemeldet.",
  unreachable: "Der Verbrauch kann gerade nicht geladen werden. Es wird weiter versucht.",
  refused: "Dieser Verbrauch kann nicht gezeigt werden.",
  total: "Gesamt",
  period: "Zeitraum",
  "7d": "Letzte 7 Tage",
  "30d": "Letzte 30 Tage",
  month: "Dieser Monat",
  "last-month": "Letzter Monat",
  year: "Dieses Jahr",
  table: "Alle Zahlen",
  time: "Zeit",
  value: "Verbrauch",
  none: "(ohne)",
  others: "{} weitere",
  limits: "Grenzen",
  of: "{} von {}",
  left: "{} übrig",
  resets: "Beginnt neu am {}",
  balance: "Guthaben",
  available: "Verfügbar",
  reserved: "Reserviert",
  credits: "Gutschriften",
  expires: "Gültig bis",
  never: "unbegrenzt",
};

const fr: Texts = {
  loading: "Chargement",
  empty: "Aucune consommation sur cette période.",
  waiting: "En attente de connexion.",
  expired: "La session a expiré. Rechargez la page.",
  renewing: "Reconnexion en cours.",
  unreachable: "La consommation ne peut pas être chargée pour le moment. Nouvel essai en cours.",
  refused: "Cette consommation ne peut pas être affichée.",
  total: "Total",
  period: "Période",
  "7d": "7 derniers jours",
  "30d": "30 derniers jours",
  month: "Ce mois-ci",
  "last-month": "Mois dernier",
  year: "Cette année",
  table: "Tous les chiffres",
  time: "Date",
  value: "Consommation",
  none: "(sans)",
  others: "{} autres",
  limits: "Limites",
  of: "{} sur {}",
  left: "{} restants",
  resets: "Remise à zéro le {}",
  balance: "Solde",
  available: "Disponible",
  reserved: "Réservé",
  credits: "Crédits",
  expires: "Expire",
  never: "jamais",
};

const es: Texts = {
  loading: "Cargando",
  empty: "Sin consumo en este período.",
  waiting: "Esperando el inicio de sesión.",
  expired: "La sesión ha caducado. Vuelva a cargar la página.",
  renewing: "Iniciando la sesión de nuevo.",
  unreachable: "El consumo no se puede cargar ahora. Se intenta de nuevo.",
  refused: "Este consumo no se puede mostrar.",
  total: "Total",
  period: "Período",
  "7d": "Últimos 7 días",
  "30d": "Últimos 30 días",
  month: "Este mes",
  "last-month": "Mes pasado",
  year: "Este año",
  table: "Todas las cifras",
  time: "Fecha",
  value: "Consumo",
  none: "(sin valor)",
  others: "{} más",
  limits: "Límites",
  of: "{} de {}",
  left: "quedan {}",
  resets: "Se reinicia el {}",
  balance: "Saldo",
  available: "Disponible",
  reserved: "Reservado",
  credits: "Créditos",
  expires: "Caduca",
  never: "nunca",
};

const languages: Readonly<Record<string, Texts>> = { en, de, fr, es };

/** A language: its texts, and how it writes numbers and dates. */
export interface Language {
  tag: string;
  texts: Texts;
  /** A decimal number with all of its digits. */
  number: (digits: string) => string;
  /** A number rounded, for axes. */
  about: (value: number) => string;
  date: (ms: number, zone: string, window: string) => string;
}

const known = new Map<string, Language>();

/** @param wanted a language tag, such as de or fr-CA; English where there are no texts in it */
export function languageOf(wanted: string): Language {
  const short = wanted.toLowerCase().split("-")[0] ?? "";
  const texts = Object.hasOwn(languages, short) ? languages[short] : undefined;
  const tag = texts ? supported(wanted, short) : "en";
  let language = known.get(tag);
  if (!language) {
    language = { tag, texts: texts ?? en, number: exactly(tag), about: about(tag), date: dates(tag) };
    known.set(tag, language);
  }
  return language;
}

function supported(wanted: string, short: string): string {
  try {
    return Intl.getCanonicalLocales(wanted)[0] ?? short;
  } catch {
    return short;
  }
}

function exactly(tag: string): (digits: string) => string {
  const whole = new Intl.NumberFormat(tag, { maximumFractionDigits: 0 });
  const point = new Intl.NumberFormat(tag).formatToParts(1.5).find((part) => part.type === "decimal")?.value ?? ".";
  return (digits) => {
    const parts = /^(-?)(\d+)(?:\.(\d+))?$/.exec(digits);
    if (!parts) return digits;
    const [, sign = "", units = "", fraction] = parts;
    return (sign === "-" ? "−" : "") + whole.format(BigInt(units)) + (fraction === undefined ? "" : point + fraction);
  };
}

function about(tag: string): (value: number) => string {
  const format = new Intl.NumberFormat(tag, { notation: "compact", maximumFractionDigits: 1 });
  const huge = new Intl.NumberFormat(tag, { notation: "scientific", maximumFractionDigits: 1 });
  return (value) => (Math.abs(value) < 1e15 ? format : huge).format(value);
}

function dates(tag: string): Language["date"] {
  return (ms, timeZone, window) => {
    const shape: Intl.DateTimeFormatOptions =
      window === "month"
        ? { month: "long", year: "numeric" }
        : window === "day" || window === "week"
          ? { dateStyle: "medium" }
          : { dateStyle: "medium", timeStyle: "short" };
    return new Intl.DateTimeFormat(tag, { ...shape, timeZone }).format(ms);
  };
}

/** A text with its places filled in. */
export function fill(text: string, ...values: readonly string[]): string {
  let n = 0;
  return text.replace(/\{\}/g, () => values[n++] ?? "");
}
