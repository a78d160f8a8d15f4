import { settingsByName } from "../inventory/settings/index.js";
import { parseValue } from "../inventory/settings/values.js";
import { Secret } from "../util/secret.js";
import { hostWord, parseHostWords } from "./host-words.js";
import type { Choice, Question, QuestionContext } from "./question.js";
import type { Answers, HostChoice } from "./types.js";

/** Raspberry Pi OS's first user, where its name or the host's says so. */
const PI_USER = "pi";

function isRemote({ answers }: QuestionContext): boolean {
  return answers.hosts.some((host) => host.kind === "ssh");
}

function isReal({ answers }: QuestionContext): boolean {
  return answers.hosts.some((host) => host.kind !== "throw-away");
}

/** The row of the settings table; the table is the truth about defaults, ranges and words. */
function settingOf(name: string) {
  const setting = settingsByName.get(name);
  if (setting === undefined) throw new Error(`${name} is not a setting`);
  return setting;
}

/** A question about one setting: written to the answers only where it differs from the default. */
function settingQuestion(
  name: string,
  row: Pick<Question, "page" | "label" | "help"> & Partial<Pick<Question, "choices" | "check" | "value" | "when">>,
): Question {
  const setting = settingOf(name);
  const standard = setting.default === undefined ? "" : String(setting.default);
  return {
    key: name,
    flag: name.replaceAll("_", "-"),
    value: "VALUE",
    kind: row.choices === undefined ? "text" : "select",
    default: () => standard,
    validate: (text) => {
      if (text === "" && setting.default === undefined) return undefined;
      const parsed = parseValue(setting.type, text);
      return parsed.ok
        ? undefined
        : `${row.label}: ${parsed.problem}${parsed.hint === undefined ? "" : ` (${parsed.hint})`}`;
    },
    when: isReal,
    read: (answers) => {
      const value = answers.settings[name];
      return value === undefined ? undefined : String(value);
    },
    write: (text, answers) => {
      const { [name]: _, ...others } = answers.settings;
      return {
        ...answers,
        settings: text === standard ? others : { ...others, [name]: typed(setting.type.kind, text) },
      };
    },
    ...row,
  };
}

function typed(kind: string, text: string): string | number {
  return (kind === "port" || kind === "int") && /^\d+$/.test(text) ? Number(text) : text;
}

const latencies: readonly Choice[] = [
  { value: "2s", label: "2s", note: "about 6 to 8 s behind, steady on any network (recommended)" },
  { value: "1s", label: "1s", note: "about 4 s behind; needs a publisher with a key frame every second" },
  { value: "4s", label: "4s", note: "about 12 to 16 s behind, for viewers on poor networks" },
  { value: "6s", label: "6s", note: "about 20 s behind, fewest requests" },
];

const sources: readonly Choice[] = [
  {
    value: "upstream",
    label: "upstream",
    note: "newest NGINX with VTS statistics; needs the internet on this machine",
  },
  { value: "debian", label: "debian", note: "Debian's sources, from its mirror alone; without VTS" },
];

const certificates: readonly Choice[] = [
  { value: "no", label: "no", note: "plain HTTP" },
  { value: "letsencrypt", label: "letsencrypt", note: "a certificate for the domain, renewed by itself" },
  { value: "self-signed", label: "self-signed", note: "browsers ask before they take it" },
];

/** One host, and none that is thrown away: only such a one has a name. */
function isAlone({ answers }: QuestionContext): boolean {
  return answers.hosts.length === 1 && answers.hosts[0]?.kind !== "throw-away";
}

const publicName = settingQuestion("public_name", {
  page: "domain",
  label: "Domain",
  help: "The name that viewers use; empty for the address",
  value: "NAME",
  when: isAlone,
  check: (text, { answers }, services, signal) => services.checkDomain(text, answers.hosts, signal),
});

const domain: Question = {
  ...publicName,
  write: (text, answers) => {
    const named = publicName.write(text, answers);
    const { https, https_cert_domain: of, https_cert_mail: _, ...others } = named.settings;
    // A certificate that was wanted is for the new name, and without one for none.
    if (https !== true || of === undefined) return named;
    return { ...named, settings: text === "" ? others : { ...named.settings, https_cert_domain: [text] } };
  },
};

/** A secret that is generated unless it is given. */
function secretQuestion(
  key: "publishToken" | "statusPassword",
  setting: string,
  row: Pick<Question, "flag" | "label" | "help">,
): Question {
  return {
    key,
    page: "secrets",
    value: "FILE",
    kind: "secret",
    default: () => "",
    validate: (text) => {
      if (text === "") return undefined;
      const parsed = parseValue(settingOf(setting).type, text);
      return parsed.ok ? undefined : `${row.label} ${parsed.problem}`;
    },
    when: isReal,
    read: (answers) => answers[key]?.reveal(),
    write: (text, answers) => {
      const { [key]: _, ...others } = answers;
      return text === "" ? others : { ...others, [key]: new Secret(text) };
    },
    ...row,
  };
}

/** All questions, in the order in which they are asked. */
export const questions: readonly Question[] = [
  {
    key: "hosts",
    page: "hosts",
    flag: "host",
    value: "HOSTS",
    label: "Hosts",
    help: "`[user@]host[:port]`, several with commas; `local` for this machine, `throw-away` for a host to try it on",
    kind: "hosts",
    default: () => "",
    validate: (text) => {
      const read = parseHostWords(text);
      return "problem" in read ? read.problem : undefined;
    },
    when: () => true,
    read: ({ hosts }) => (hosts.length === 0 ? undefined : hosts.map(hostWord).join(",")),
    write: (text, answers) => {
      const read = parseHostWords(text);
      if ("problem" in read) return answers;
      // A host that was found brings what its word does not say: its name in ~/.ssh/config, its address.
      const known = (host: HostChoice) => answers.hosts.find((one) => hostWord(one) === hostWord(host)) ?? host;
      return { ...answers, hosts: read.hosts.map(known) };
    },
  },
  {
    key: "user",
    page: "login",
    flag: "user",
    value: "NAME",
    label: "SSH user",
    help: "Root, or a user who may use sudo; empty leaves it to ~/.ssh/config",
    kind: "text",
    default: ({ answers }) =>
      answers.hosts.some((host) => host.user === undefined && /^raspberrypi(\.|$)/.test(host.name)) ? PI_USER : "",
    validate: (text) =>
      text === "" || /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(text) ? undefined : `"${text}" is not a user's name`,
    when: (context) => isRemote(context) && context.answers.hosts.some((host) => host.user === undefined),
    read: ({ user }) => user,
    write: (text, answers) => {
      const { user: _, ...others } = answers;
      return text === "" ? others : { ...others, user: text };
    },
  },
  {
    key: "privateKey",
    page: "login",
    flag: "private-key",
    value: "FILE",
    label: "SSH key",
    help: "File of a private key; empty leaves it to ~/.ssh/config and the agent, and a password is asked for where needed",
    kind: "text",
    default: () => "",
    validate: () => undefined,
    when: isRemote,
    read: (answers) => answers.privateKey,
    write: (text, answers) => {
      const { privateKey: _, ...others } = answers;
      return text === "" ? others : { ...others, privateKey: text };
    },
  },
  settingQuestion("hls_fragment", {
    page: "stream",
    label: "Segment length",
    help: "Shorter is closer to live; set the publisher's key frame interval to the same",
    choices: () => latencies,
  }),
  settingQuestion("hls_streams", {
    page: "stream",
    label: "Streams at once",
    help: "Memory is set aside for so many",
    value: "N",
  }),
  settingQuestion("hls_bitrate", {
    page: "stream",
    label: "Bit rate of one",
    help: "kbit/s of video and audio; OBS's default is 2500 to 6000",
    value: "KBITS",
  }),
  settingQuestion("http_server_port", {
    page: "stream",
    label: "Web port",
    help: "Player and playlists; 80 unless something else has it",
    value: "PORT",
  }),
  settingQuestion("rtmp_server_port", {
    page: "stream",
    label: "RTMP port",
    help: "Publishers connect here",
    value: "PORT",
  }),
  settingQuestion("nginx_sources", {
    page: "stream",
    label: "NGINX sources",
    help: "What is compiled on the host",
    choices: () => sources,
  }),
  secretQuestion("publishToken", "rtmp_publish_token", {
    flag: "publish-token-file",
    label: "Publish token",
    help: "Whoever has it may publish; empty generates one for each host",
  }),
  secretQuestion("statusPassword", "http_status_password", {
    flag: "status-password-file",
    label: "Status password",
    help: "For /status; empty generates one for each host",
  }),
  domain,
  {
    key: "https",
    page: "domain",
    flag: "https",
    value: "KIND",
    label: "HTTPS",
    help: "letsencrypt needs the domain, and ports 80 and 443 from outside; self-signed is for a network of your own",
    kind: "select",
    choices: () => certificates,
    default: ({ answers }) => (answers.settings.public_name === undefined ? "no" : "letsencrypt"),
    validate: (text, { answers }) => {
      if (!certificates.some(({ value }) => value === text))
        return `HTTPS: is ${JSON.stringify(text)}, not one of no, letsencrypt, self-signed`;
      const needsName = text === "letsencrypt" && answers.settings.public_name === undefined;
      return needsName ? "HTTPS: Let's Encrypt gives certificates for a domain, and none is given" : undefined;
    },
    when: isAlone,
    read: ({ settings }) => {
      if (settings.https !== true) return undefined;
      return settings.https_cert_domain === undefined ? "self-signed" : "letsencrypt";
    },
    write: (text, answers) => {
      const { https: _, https_cert_domain: __, https_cert_mail: mail, ...others } = answers.settings;
      const name = others.public_name;
      if (text === "self-signed") return { ...answers, settings: { ...others, https: true } };
      if (text !== "letsencrypt" || name === undefined) return { ...answers, settings: others };
      const contact = mail === undefined ? {} : { https_cert_mail: mail };
      return { ...answers, settings: { ...others, https: true, https_cert_domain: [String(name)], ...contact } };
    },
  },
  settingQuestion("https_cert_mail", {
    page: "domain",
    label: "E-mail",
    help: "Contact of the account at Let's Encrypt; empty for none",
    value: "ADDRESS",
    when: (context) => isAlone(context) && context.answers.settings.https_cert_domain !== undefined,
  }),
];

/** Answers before the first question. */
export const noAnswers: Answers = { hosts: [], settings: {} };
