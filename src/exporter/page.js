/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks /status.json again and again and shows it: what needs a person first, then every pool, member by member. Text
 * from outside (names, sentences) only ever becomes text nodes. Nodes are kept from one turn to the next, so that
 * the focus, an opened unit and a reader's place stay. */
'use strict';

const POLL_MS = 2000, PATIENCE_MS = 5000, ENTRIES_SHOWN = 40;
const byId = (id) => document.getElementById(id);
const opened = new Map(); // pool -> VRID whose details are shown
let last = null; // the last good answer

function el(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setClass(node, text) {
  if (node.className !== text) node.className = text;
}

// Makes `parent` have one child per item, in order; children stay with their keys.
function sync(parent, items, keyOf, make, update) {
  const old = new Map(Array.from(parent.children, (node) => [node.dataset.key, node]));
  const seen = new Set();
  items.forEach((item, index) => {
    let key = String(keyOf(item));
    while (seen.has(key)) key += ' ';
    seen.add(key);
    let node = old.get(key);
    if (node) {
      old.delete(key);
    } else {
      node = make(item);
      node.dataset.key = key;
    }
    update(node, item);
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] || null);
  });
  for (const node of old.values()) node.remove();
}

const plural = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`;

function span(seconds) {
  if (!(seconds >= 0)) return '?';
  if (seconds < 120) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${(seconds / 3600).toFixed(1)} h` : `${Math.floor(seconds / 86400)} d`;
}

const ageOf = (status, time) => (Date.parse(status.time) - Date.parse(time)) / 1000;
const clock = (time) => new Date(time).toLocaleTimeString([], {hour12: false});

function memberName(pool, address) {
  if (!address) return 'nobody';
  const member = pool.members.find((m) => m.address === address);
  return member && member.name ? member.name : address;
}

// The addresses that people know a unit by: not the link-local one that IPv6 wants.
function namesOf(unit) {
  const wide = unit.addresses.filter((text) => !/^fe[89ab]/i.test(text));
  return wide.length ? wide : unit.addresses;
}

// The part of the addresses that tells the pool's units apart.
function shortNames(pool) {
  const first = (unit) => namesOf(unit)[0] || `VRID ${unit.vrid}`;
  const cut = (text) => Math.max(text.lastIndexOf('.'), text.lastIndexOf(':')) + 1;
  const prefix = pool.units.length ? first(pool.units[0]).slice(0, cut(first(pool.units[0]))) : '';
  const same = pool.units.length > 1 && pool.units.every((u) => first(u).slice(0, cut(first(u))) === prefix);
  return new Map(pool.units.map((u) => {
    const more = namesOf(u).length > 1 ? `+${namesOf(u).length - 1}` : '';
    return [u.vrid, (same ? first(u).slice(prefix.length) : first(u)) + more];
  }));
}

// What is the matter with a unit: [severity, sign, words].
function troubleOf(unit, {pool}) {
  if (unit.contested) return ['alarm', '!', 'has two owners'];
  if (unit.conflict && unit.conflict.recent) return ['alarm', '!', 'was answered for by somebody else'];
  if (unit.holder_kind === 'none') return pool.ready ? ['alarm', '', 'has no owner'] : ['', '', 'its owner is not known here'];
  if (unit.holder_kind === 'stranger') return ['warning', '', 'is held by a stranger'];
  if (unit.address_list_differs) return ['warning', '≠', 'is advertised with another list of addresses'];
  if (unit.planned) return ['', '→', 'will be moved'];
  if (unit.pinned) return ['', '*', 'is pinned'];
  return ['', '', ''];
}

// Lanes of a pool: nobody and strangers first, then the members; each with its units.
function lanesOf(pool) {
  const held = (test) => pool.units.filter(test);
  const active = pool.members.filter((m) => m.state === 'active');
  const shares = active.reduce((sum, m) => sum + m.share, 0);
  const load = pool.members.reduce((sum, m) => sum + m.load, 0);
  const lanes = pool.members.map((m) => ({
    key: m.address, title: m.name || m.address, member: m, units: held((u) => u.holder === m.address),
    fair: m.state === 'active' && shares ? load * m.share / shares : 0,
  }));
  const strangers = new Set(held((u) => u.holder_kind === 'stranger').map((u) => u.holder));
  for (const address of strangers) {
    lanes.unshift({key: `stranger ${address}`, title: address, note: 'a stranger', severity: 'warning',
                   units: held((u) => u.holder === address && u.holder_kind === 'stranger')});
  }
  const vacant = held((u) => u.holder_kind === 'none');
  if (vacant.length) { // a host that takes no part does not know who holds what
    lanes.unshift(pool.ready ? {key: 'nobody', title: 'Nobody', note: 'has no owner', severity: 'alarm', units: vacant}
                             : {key: 'nobody', title: 'Not known here', note: 'not ready', severity: 'warning', units: vacant});
  }
  return lanes;
}

function makeLane() {
  const bar = el('div', 'bar', el('i'), el('s'));
  bar.setAttribute('role', 'img');
  return el('li', 'lane', el('div', 'who', el('b'), el('span', 'marks'), el('small')),
            el('div', '', el('div', 'load', bar, el('span')), el('ul', 'units')));
}

function marksOf(lane) {
  if (!lane.member) return [[lane.severity, lane.note]];
  const marks = [];
  if (lane.member.self) marks.push(['good', 'this host']);
  if (lane.member.state === 'dead') marks.push(['alarm', 'dead']);
  else if (lane.member.state !== 'active') marks.push(['warning', lane.member.state]);
  return marks;
}

function updateLane(node, lane, context) {
  const [who, rest] = node.children, [load, units] = rest.children, [bar, number] = load.children;
  setText(who.children[0], lane.title);
  sync(who.children[1], marksOf(lane), (m) => m[1], () => el('span'), (mark, [severity, text]) => {
    setClass(mark, `mark ${severity}`);
    setText(mark, text);
  });
  const m = lane.member;
  setText(who.children[2], !m ? '' : [m.name ? m.address : '', m.self || m.state === 'active' ? '' :
    `not heard for ${span(m.age_ms / 1000)}`, `share ${m.share}`].filter(Boolean).join(' · '));
  load.hidden = !m;
  if (m) {
    const fair = lane.fair > 0 ? `, fair share ${lane.fair.toFixed(1).replace(/\.0$/, '')}` : '';
    const text = plural(lane.units.length, 'unit') + fair;
    const scale = (value) => `${Math.min(100, 100 * value / context.widest)}%`;
    bar.style.setProperty('--part', scale(lane.units.length));
    bar.style.setProperty('--fair', scale(lane.fair));
    bar.children[1].hidden = !fair;
    bar.setAttribute('aria-label', text);
    setText(number, text);
  }
  sync(units, lane.units, (u) => u.vrid, () => el('li', '', el('button')), (item, unit) => updateUnit(item, unit, context));
}

function updateUnit(item, unit, context) {
  const button = item.firstChild, [severity, sign, words] = troubleOf(unit, context);
  const open = opened.get(context.pool.name) === unit.vrid;
  setClass(button, severity);
  setText(button, context.names.get(unit.vrid) + sign);
  button.title = `${unit.addresses.join(', ')}${words ? ': ' + words : ''}`;
  button.setAttribute('aria-label', button.title);
  button.setAttribute('aria-expanded', String(open));
  button.onclick = () => {
    if (open) opened.delete(context.pool.name);
    else opened.set(context.pool.name, unit.vrid);
    render();
  };
}

function factsOf(unit, context) {
  const {pool, status} = context, change = unit.last_change, [, , words] = troubleOf(unit, context);
  const facts = [['Addresses', unit.addresses.join(', ')], ['VRID', String(unit.vrid)]];
  if (words) facts.push(['State', words]);
  facts.push(['Holder', `${memberName(pool, unit.holder)}${unit.since ? ` for ${span(ageOf(status, unit.since))}` : ''}`]);
  if (unit.contender) facts.push(['Also claimed by', memberName(pool, unit.contender)]);
  if (change) {
    facts.push(['Last change', `${clock(change.time)}: ${memberName(pool, change.from)} → ${memberName(pool, change.to)}, ` +
      `${change.reason.replaceAll('_', ' ')}${change.gap_ms > 0 ? `, ${change.gap_ms} ms without owner` : ''}`]);
  }
  facts.push(['Next', memberName(pool, unit.next)]);
  if (unit.planned) facts.push(['Will be moved to', memberName(pool, unit.planned)]);
  facts.push(['This host', `${unit.state}, priority ${unit.priority}, rank ${unit.rank}, ${unit.level_done}`]);
  if (unit.conflict) {
    facts.push(['Foreign answers', `${unit.conflict.count}, the last from ${unit.conflict.mac} ` +
      `${span(ageOf(status, unit.conflict.time))} ago`]);
  }
  return facts;
}

function updateDetail(node, context) {
  const unit = context.pool.units.find((u) => u.vrid === opened.get(context.pool.name));
  node.hidden = !unit;
  if (!unit) return;
  sync(node.firstChild, factsOf(unit, context).flatMap(([name, text]) => [['dt', name], ['dd', text, name]]),
       ([tag, text, name]) => `${tag} ${name || text}`, ([tag]) => el(tag), (item, [, text]) => setText(item, text));
}

function subtitleOf(pool) {
  const held = pool.units.filter((u) => u.holder_kind !== 'none').length;
  const alive = pool.members.filter((m) => m.state === 'active').length;
  return [pool.interface, `${held} of ${pool.units.length} units held`, plural(alive, 'active member'),
          `arp_filter ${pool.filter.in_force || 'not known yet'}`, pool.ready ? '' : 'not ready',
          pool.drained ? 'drained' : '', pool.leaving ? 'leaving' : '',
          pool.isolation === 'none' ? '' : pool.isolation].filter(Boolean).join(' · ');
}

function makePool() {
  return el('section', '', el('div', 'heading', el('h2'), el('p', 'sub')), el('ul', 'lanes'), el('div', 'detail', el('dl')));
}

function updatePool(node, pool, status) {
  const [heading, lanes, detail] = node.children, list = lanesOf(pool);
  const widest = Math.max(1, ...list.filter((l) => l.member).map((l) => Math.max(l.units.length, l.fair)));
  const context = {pool, status, widest, names: shortNames(pool)};
  setText(heading.children[0], pool.name);
  setText(heading.children[1], subtitleOf(pool));
  sync(lanes, list, (lane) => lane.key, makeLane, (item, lane) => updateLane(item, lane, context));
  updateDetail(detail, context);
}

// --- instances and groups: those that need attention first, then in the file's order ---

const STATE_SEVERITY = {Active: 'good', Fault: 'alarm'};
const severityRank = (text) => ['alarm', 'warning'].indexOf(text) + 1 || 3;

function troublesOf(thing) {
  const failed = thing.trackers.filter((t) => (t.state === 'failed' || t.state === 'undefined') && !t.fault);
  const said = (t) => t.text || (t.kind === 'file' ? `says ${t.value}` : t.state);
  const faults = thing.faults || thing.trackers.filter((t) => t.fault).map((t) => `${t.kind} ${t.name}: ${said(t)}`);
  return [...faults.map((text) => ['alarm', text]),
          ...failed.map((t) => ['warning', `${t.kind} ${t.name} has failed${t.text ? `: ${t.text}` : ''}`])];
}

function instanceTroubles(instance) {
  const list = troublesOf(instance);
  if (instance.conflict && instance.conflict.recent) {
    list.push(['alarm', `was answered for by somebody else, ${instance.conflict.mac}`]);
  }
  if (instance.address_list_differs) list.push(['warning', 'is advertised with another list of addresses']);
  return list;
}

const worstOf = (list) => list.reduce((worst, [severity]) => Math.min(worst, severityRank(severity)), 3);
const worstFirst = (list, troubles) => list.map((thing) => [thing, troubles(thing)]).sort((a, b) => worstOf(a[1]) - worstOf(b[1]));

function makeRow() {
  return el('li', 'row', el('div', 'who', el('b'), el('span', 'mark')), el('div', '', el('p'), el('p', 'sub')), el('ul'));
}

function updateRow(node, {name, state, main, sub, troubles}) {
  const [who, text, list] = node.children;
  setText(who.children[0], name);
  setText(who.children[1], state);
  setClass(who.children[1], `mark ${STATE_SEVERITY[state] || ''}`);
  setText(text.children[0], main);
  setText(text.children[1], sub);
  sync(list, troubles, ([severity, words]) => `${severity} ${words}`, () => el('li', '', el('span')),
       (item, [severity, words]) => {
         setClass(item, severity);
         setText(item.firstChild, words);
       });
}

function instanceRow([instance, troubles], status) {
  const holder = instance.holder_kind === 'self' ? 'held by this host' :
    instance.holder ? `held by ${instance.holder}, priority ${instance.holder_priority}` :
    instance.state === 'Backup' ? 'held by nobody that is heard' : 'who holds it is not known here';
  const priority = instance.priority === instance.base_priority ? `priority ${instance.priority}` :
    `priority ${instance.priority} (${instance.base_priority} is configured)`;
  return {
    name: instance.name, state: instance.state, troubles,
    main: namesOf(instance).join(', ') || 'no address',
    sub: [holder, priority, `${instance.state} for ${span(ageOf(status, instance.since))}`,
          `VRID ${instance.vrid} on ${instance.interface}, version ${instance.version}, ${instance.transport}`,
          instance.group ? `group ${instance.group}` : ''].filter(Boolean).join(' · '),
  };
}

function renderInstances(status) {
  const instances = status.instances || [], groups = status.groups || [];
  const counts = ['Active', 'Backup', 'Fault', 'Initialize', 'Stopped'].map((state) =>
    [instances.filter((i) => i.state === state).length, state]).filter(([count]) => count);
  byId('instances').hidden = !instances.length;
  byId('groups').hidden = !groups.length;
  setText(byId('instances-sub'), counts.map(([count, state]) => `${count} ${state}`).join(' · '));
  sync(byId('routers'), worstFirst(instances, instanceTroubles), ([i]) => i.name, makeRow,
       (node, pair) => updateRow(node, instanceRow(pair, status)));
  sync(byId('group-list'), worstFirst(groups, troublesOf), ([g]) => g.name, makeRow, (node, [group, troubles]) =>
    updateRow(node, {name: group.name, state: group.state, troubles, main: group.members.join(', '),
                     sub: `${group.state} for ${span(ageOf(status, group.since))}`}));
}

function updateLine(node, line) {
  setClass(node, line.severity === 'alarm' ? 'alarm' : 'warning');
  setText(node.children[0], line.severity);
  setText(node.children[1], line.text);
}

function updateEntry(node, entry, status) {
  const time = node.children[0];
  time.dateTime = entry.time;
  setText(time, `${clock(entry.time)}, ${span(ageOf(status, entry.time))} ago`);
  setClass(node.children[1], entry.warning ? 'warning' : '');
  setText(node.children[1], entry.text);
}

function verdictOf(status) {
  const alarms = status.attention.filter((line) => line.severity === 'alarm').length;
  const warnings = status.attention.length - alarms;
  const units = status.pools.reduce((sum, pool) => sum + pool.units.length, 0);
  const held = status.pools.reduce((sum, pool) => sum + pool.units.filter((u) => u.holder_kind !== 'none').length, 0);
  if (alarms) return ['alarm', plural(alarms, 'alarm') + (warnings ? `, ${plural(warnings, 'warning')}` : ''), alarms];
  if (warnings) return ['warning', plural(warnings, 'warning'), 0];
  const instances = status.instances || [];
  const waiting = instances.filter((i) => i.state === 'Initialize' || (i.state === 'Backup' && i.holder_kind === 'none'));
  const all = [units || !instances.length ? `${held} of ${units} units held` : '',
               instances.length ? plural(instances.length, 'instance') : ''].filter(Boolean).join(', ');
  return held === units && !waiting.length ? ['good', `All is well: ${all}`, 0] : ['warning', `Starting: ${all}`, 0];
}

function render() {
  if (!last) return;
  const {status, events} = last, selves = status.pools.flatMap((p) => p.members).filter((m) => m.self);
  const self = selves.find((m) => m.name) || selves[0];
  const speaker = (status.instances || []).find((i) => i.address);
  setText(byId('host'), self ? [self.name, self.address].filter(Boolean).join(' · ') : speaker ? speaker.address : '');
  const lineKey = (line) =>
    [line.pool, line.instance, line.code, line.member, line.code === 'tracker' ? line.text : ''].join(' ');
  sync(byId('lines'), status.attention, lineKey, () => el('li', '', el('b'), el('span')), updateLine);
  sync(byId('pools'), status.pools, (pool) => pool.name, makePool, (node, pool) => updatePool(node, pool, status));
  renderInstances(status);
  const entries = events.filter((e) => e.kind !== 'unit_state').reverse().slice(0, ENTRIES_SHOWN);
  byId('changes').hidden = entries.length === 0;
  sync(byId('entries'), entries, (e) => e.sequence, () => el('li', '', el('time'), el('span')),
       (node, entry) => updateEntry(node, entry, status));
  setText(byId('about'), `evenkeeld ${status.daemon.version}, up ${span(status.daemon.uptime_s)}, configuration ` +
    `${status.daemon.config_hash}; evenkeel-exporter ${last.exporter}`);
}

function say(severity, text, why, count) {
  setClass(byId('verdict'), `verdict ${severity}`);
  setText(byId('verdict'), text);
  setText(byId('why'), why);
  const host = byId('host').textContent.split(' · ')[0];
  document.title = `${count ? `(${count}!) ` : ''}${host ? `${host} · ` : ''}Evenkeel`;
}

// Nothing new is known: what is shown stays, and looks old.
function sayOld(text, error) {
  const kept = last ? ` What is shown below was so at ${clock(last.status.time)}.` : '';
  say('alarm', text, `${error}.${kept}`, 1);
  setText(byId('live'), 'not live');
}

async function ask() {
  const response = await fetch('status.json', {cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS)});
  const answer = await response.json();
  if (answer.up) {
    last = answer;
    render();
    const [severity, text, count] = verdictOf(answer.status);
    say(severity, text, '', count);
    setText(byId('live'), `live, ${clock(answer.status.time)}`);
  } else {
    sayOld('evenkeeld does not answer on this host', answer.error);
  }
  for (const id of ['lines', 'pools', 'instances', 'groups', 'changes']) byId(id).classList.toggle('old', !answer.up);
}

async function turn() {
  if (!document.hidden) {
    try {
      await ask();
    } catch (error) {
      sayOld('This page does not reach evenkeel-exporter', String(error.message || error));
      for (const id of ['lines', 'pools', 'instances', 'groups', 'changes']) byId(id).classList.add('old');
    }
  }
  setTimeout(turn, POLL_MS);
}

turn();
