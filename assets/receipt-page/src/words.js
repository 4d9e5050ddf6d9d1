// Every word of the page, in Chinese and English. describe() turns an outcome into what is shown; it touches no page.

const ZH = {
  app: "便民回执核验",
  other: "English",
  checking: "正在核验……",
  checkingLead: "请稍等。",
  stage1: "收件回执",
  stage2: "受理通知书",
  genuine1: "回执是真的",
  genuine1Sub: "平台还没有确认",
  genuine1Lead: "它证明{station}收下了您的材料。平台是否受理，要以《受理通知书》为准。",
  genuine2: "通知书是真的",
  genuine2Sub: "还没有和平台核对",
  genuine2Lead: "它证明平台已经受理了您的申请。",
  confirmed1: "回执是真的",
  confirmed2: "通知书是真的",
  confirmedSub: "平台已核对",
  confirmedLead: "",
  withdrawnKey: "现在不能确认",
  withdrawnKeySub: "签发站的密钥已停用",
  withdrawnTime: "现在不能确认",
  withdrawnTimeSub: "签发时间与密钥的有效期不符",
  withdrawnLead: "请联网再看一次，或者打电话问一问。核对之前，请先不要当作凭证。",
  revoked: "这张回执已撤销",
  revokedSub: "平台已核对",
  revokedLead: "它不再有效，请不要当作凭证。有疑问请打电话。",
  missing: "平台没有这份记录",
  missingSub: "不能确认",
  missingLead: "请不要当作凭证。请带上原件，打电话或到站里问一问。",
  unknown: "查不到签发单位",
  unknownSub: "不能确认真假",
  unknownLead: "请先不要相信。连上网再扫一次，或拨打 12345 政务服务热线核对。",
  forged: "这不是真的回执",
  forgedSub: "签名不对或内容被改过",
  forgedLead: "请不要相信纸上的内容，也不要付钱、转账。请拨打 12345 政务服务热线。",
  nokeys: "现在还不能核验",
  nokeysSub: "还没有取得核验用的公钥",
  nokeysLead: "请连上网，再扫一次。取得一次之后，没有网也能核验。",
  empty: "请扫描回执上的二维码",
  emptySub: "用手机相机或微信扫一扫",
  emptyLead: "扫码后，这里会显示回执的真假、办到哪一步、什么时候办好、问题找谁。",
  asking: "正在联网核对……",
  offline: "暂时无法联网核对。以上结论由本机用已保存的公钥核验得出。",
  notYet: "平台还没有收到。站里联网后会自动送达，请过些时候再扫一次。",
  keyNote: "签发站的密钥已停用。这一份已和平台自己的记录核对一致。",
  clockNote: "签发时站里的时钟未经平台校准，时间仅供参考。",
  status: "办理进度",
  item: "事项",
  name: "申请人",
  station: "收件站点",
  issuer: "签发单位",
  number: "回执号",
  officialNo: "办件编号",
  at1: "收件时间",
  at2: "受理时间",
  due: "办结期限",
  phone: "电话",
  call: "打电话问一问",
  steps: ["收件", "受理", "办结"],
  stepDone: "已完成",
  stepOpen: "未完成",
  safe: "本页不收费，不要您填写任何内容。要您输入密码、验证码或银行卡号的，都是假的。",
  host: "网址",
};

const EN = {
  app: "Receipt check",
  other: "中文",
  checking: "Checking…",
  checkingLead: "One moment, please.",
  stage1: "Receipt of documents",
  stage2: "Notice of acceptance",
  genuine1: "This receipt is genuine",
  genuine1Sub: "not yet confirmed by the platform",
  genuine1Lead: "It proves that {station} took in your documents. Acceptance is shown by the notice of acceptance.",
  genuine2: "This notice is genuine",
  genuine2Sub: "not yet compared with the platform",
  genuine2Lead: "It proves that the platform accepted your application.",
  confirmed1: "This receipt is genuine",
  confirmed2: "This notice is genuine",
  confirmedSub: "confirmed by the platform",
  confirmedLead: "",
  withdrawnKey: "Cannot be confirmed now",
  withdrawnKeySub: "the station's key was withdrawn",
  withdrawnTime: "Cannot be confirmed now",
  withdrawnTimeSub: "its date is outside the key's time",
  withdrawnLead: "Look again with a network, or ask by telephone. Until then do not rely on it.",
  revoked: "This receipt was withdrawn",
  revokedSub: "confirmed by the platform",
  revokedLead: "It is no longer valid. Do not rely on it. Ask by telephone if in doubt.",
  missing: "The platform has no such record",
  missingSub: "cannot be confirmed",
  missingLead: "Do not rely on it. Ask by telephone or at the station, and bring the original.",
  unknown: "Unknown issuer",
  unknownSub: "cannot be confirmed",
  unknownLead: "Do not trust it yet. Scan again with a network, or ask the government hotline 12345.",
  forged: "This is not a genuine receipt",
  forgedSub: "the signature is wrong, or the content was changed",
  forgedLead: "Do not trust what it says, and do not pay anyone. Call the government hotline 12345.",
  nokeys: "Cannot check yet",
  nokeysSub: "the public keys are not on this phone",
  nokeysLead: "Connect to the network and scan again. After that it works without a network.",
  empty: "Scan the code on your receipt",
  emptySub: "with your camera or WeChat",
  emptyLead: "Then this page shows whether it is genuine, how far it has got, when it is due, and whom to ask.",
  asking: "Asking the platform…",
  offline: "The platform cannot be reached now. The result above was checked on this phone with stored keys.",
  notYet: "The platform has not received it yet. The station sends it when it is online; scan again later.",
  keyNote: "The station's key was withdrawn. This receipt agrees with the platform's own records.",
  clockNote: "The station's clock was not confirmed by the platform; take the time as approximate.",
  status: "Progress",
  item: "Service",
  name: "Applicant",
  station: "Station",
  issuer: "Issued by",
  number: "Receipt no.",
  officialNo: "Case no.",
  at1: "Received",
  at2: "Accepted",
  due: "Due",
  phone: "Telephone",
  call: "Call to ask",
  steps: ["Received", "Accepted", "Decided"],
  stepDone: "done",
  stepOpen: "not yet",
  safe: "This page is free and asks you to fill in nothing. Any page that wants a password, a code or a card number is false.",
  host: "Address",
};

export const LANGUAGES = { zh: ZH, en: EN };

const pad = (n) => String(n).padStart(2, "0");

/** Shows Unix seconds as China's time, which has one zone and no summer time. */
export function showTime(seconds, lang) {
  const d = new Date((seconds + 8 * 3600) * 1000);
  const [y, m, day, h, min] = [d.getUTCFullYear(), d.getUTCMonth() + 1, d.getUTCDate(), d.getUTCHours(), d.getUTCMinutes()];
  if (lang === "en") return `${y}-${pad(m)}-${pad(day)} ${pad(h)}:${pad(min)}`;
  return `${y}年${m}月${day}日 ${pad(h)}:${pad(min)}`;
}

/** Shows days since 1970-01-01. */
export function showDay(days, lang) {
  const d = new Date(days * 86400000);
  const [y, m, day] = [d.getUTCFullYear(), d.getUTCMonth() + 1, d.getUTCDate()];
  return lang === "en" ? `${y}-${pad(m)}-${pad(day)}` : `${y}年${m}月${day}日`;
}

/** The receipt number device-seq-check, check as in ISO 7064 MOD 97-10 over device·10^20 + seq. */
export function receiptNumber(device, seq) {
  const n = BigInt(device) * 10n ** 20n + BigInt(seq);
  return `${device}-${seq}-${pad(98n - ((n * 100n) % 97n))}`;
}

const CLOSED = ["decided", "granted", "denied", "returned", "withdrawn", "void", "delivered", "rated"];

/**
 * Joins the local verdict with the platform's answer: the state that is shown. answer is null while the platform is
 * asked, false when it could not be reached, else the object it sent.
 */
export function outcome(verdict, answer) {
  if (verdict.state !== "genuine" && verdict.state !== "withdrawn") return verdict.state;
  if (!answer) return verdict.state;
  if (answer.withdrawn) return "revoked";
  if (answer.found) return "confirmed";
  if (verdict.state === "genuine" && verdict.content.stage === 1) return "genuine";
  return "missing";
}

const TONES = {
  checking: "plain", empty: "plain", nokeys: "warn", genuine: "info", confirmed: "good", withdrawn: "warn", missing: "warn",
  revoked: "bad", unknown: "warn", forged: "bad",
};

/** What the page shows for an outcome: texts and rows, in one language. */
export function describe({ state, verdict, answer }, lang) {
  const w = LANGUAGES[lang];
  const c = verdict?.content;
  const key = verdict?.key;
  const told = (answer && answer.found && answer) || {};
  const shown = c && ["genuine", "confirmed", "withdrawn", "revoked", "missing"].includes(state);
  let text = state;
  if (state === "genuine" || state === "confirmed") text += c.stage;
  if (state === "withdrawn") text += verdict.reason.startsWith("keyN") || verdict.reason === "keyExpired" ? "Time" : "Key";
  const general = w[text + "Lead"] ?? w[state + "Lead"];
  const view = {
    state, tone: TONES[state], lang, stage: shown ? w["stage" + c.stage] : "",
    title: w[text], sub: w[text + "Sub"] ?? w[state + "Sub"] ?? "",
    lead: (general ?? "").replace("{station}", key?.name || w.station), rows: [], steps: [], notes: [], phone: "",
  };
  if (!shown) return view;
  const row = (label, value, strong) => value && view.rows.push({ label: w[label], value, strong: Boolean(strong) });
  if (state === "confirmed") {
    row("status", told.stateText?.[lang] ?? told.stateText?.zh ?? "", true);
    const reached = CLOSED.includes(told.state) ? 3 : told.stage === 2 || c.stage === 2 ? 2 : 1;
    view.steps = w.steps.map((name, i) => ({ name, done: i < reached, word: i < reached ? w.stepDone : w.stepOpen }));
  }
  const due = /^\d{4}-\d{2}-\d{2}$/.test(told.due ?? "") ? Date.parse(told.due) / 86400000 : c.due;
  if (state === "genuine" || state === "confirmed") row("due", due ? showDay(due, lang) : "", true);
  row("item", c.item);
  if (c.stage === 1) row("name", c.name);
  row("at" + c.stage, showTime(c.at, lang));
  row("station", told.station || (c.stage === 1 ? key?.name : ""));
  if (c.stage === 2) row("issuer", key?.name);
  row("officialNo", c.officialNo ?? told.officialNo);
  row("number", receiptNumber(c.device, c.seq));
  view.phone = told.telephone || key?.telephone || "";
  row("phone", view.phone);
  if (answer === null) view.notes.push(w.asking);
  if (answer === false) view.notes.push(w.offline);
  if (answer && !answer.found && state === "genuine") view.notes.push(w.notYet);
  if (state === "confirmed" && verdict.state === "withdrawn") view.notes.push(w.keyNote);
  if (c.quality === 0) view.notes.push(w.clockNote);
  return view;
}
