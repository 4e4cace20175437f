//! `cargo xtask bench rules`: the catalogue's rules, repeated up to 1,000, over a million synthetic resources of the
//! kinds they judge, through the same estate builder and the same `judge` as a scan.
//!
//! Values are drawn from each property's declared type, with nulls and unknowns among them: what is measured is the
//! work, not the verdicts.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use nepho_catalog::kind::{PropertyType, Scope};
use nepho_catalog::{Catalog, Kind};
use nepho_estate::{EstateBuilder, schema_of};
use nepho_model::{Direction, Link, Resource, Timestamp, Value};
use nepho_rules::{RuleSet, judge};

use super::{Release, in_release, memory_mib, page};

/// Accounts that the resources are spread over.
const ACCOUNTS: usize = 50;

/// `[--rules N] [--resources N]`; without either, `docs/benchmarks.md` is written.
pub fn run(root: &Path, arguments: &[&str]) -> anyhow::Result<bool> {
    if let Release::Ran(well) = in_release(root, "rules", arguments)? {
        return Ok(well);
    }
    let number = |name: &str, otherwise: usize| -> anyhow::Result<usize> {
        match arguments.iter().position(|word| *word == name) {
            None => Ok(otherwise),
            Some(at) => Ok(arguments.get(at + 1).context("a number is missing")?.parse()?),
        }
    };
    let (rules, resources) = (number("--rules", 1_000)?, number("--resources", 1_000_000)?);

    let started = Instant::now();
    let catalog = Arc::new(repeated(Catalog::embedded()?, rules));
    let schema = schema_of(&catalog);
    let (set, errors) = RuleSet::compile(&catalog, &schema);
    anyhow::ensure!(errors.is_empty(), "{} rules do not compile", errors.len());
    println!("{} rules compiled in {:.2} s", set.len(), started.elapsed().as_secs_f64());

    let started = Instant::now();
    let judged: Vec<&Arc<Kind>> = catalog
        .kinds
        .values()
        .filter(|kind| kind.id.as_ref() != nepho_estate::ACCOUNT_KIND)
        .filter(|kind| catalog.rules.values().any(|rule| rule.on == kind.id))
        .collect();
    anyhow::ensure!(!judged.is_empty(), "no rule judges a kind");
    let mut builder = EstateBuilder::new(catalog.clone()).all_listed();
    let each = resources.div_ceil(judged.len());
    let mut made = 0;
    for kind in &judged {
        let count = each.min(resources - made);
        fill(&mut builder, kind, count);
        made += count;
    }
    let clock = Timestamp::parse("2026-11-01T00:00:00Z").context("the clock")?;
    let estate = builder.finish(Vec::new(), clock);
    println!(
        "{made} resources of {} kinds and their graph built in {:.2} s",
        judged.len(),
        started.elapsed().as_secs_f64()
    );
    let built = memory_mib("VmHWM");

    let started = Instant::now();
    let judgement = judge(&estate, &set, &[]);
    let counted = started.elapsed().as_secs_f64();
    let total = judgement.total();
    println!(
        "{} judgements ({} fail, {} pass, {} unknown, {} not applicable) in {counted:.2} s",
        total.fail + total.pass + total.unknown + total.not_applicable,
        total.fail,
        total.pass,
        total.unknown,
        total.not_applicable
    );
    let peak = memory_mib("VmHWM");
    println!("peak {peak:.0} MiB, of that {built:.0} before judging");
    println!("bar: 10 s and 4,096 MiB on 2 cores");
    if arguments.is_empty() {
        let met = |met| if met { "yes" } else { "**no**" };
        let table = format!(
            "| {rules} rules over {made} resources | nephoscope | bar | met |\n| --- | --- | --- | --- |\n\
             | judging, s | {counted:.2} | 10 | {} |\n| peak memory, MiB | {peak:.0} | 4096 | {} |",
            met(counted < 10.0),
            met(peak < 4096.0)
        );
        page::write(root, "bench rules", &table)?;
    }
    Ok(counted < 10.0 && peak < 4096.0)
}

/// The catalogue with its rules repeated under further ids until there are `count`.
fn repeated(mut catalog: Catalog, count: usize) -> Catalog {
    let originals: Vec<_> = catalog.rules.values().cloned().collect();
    let mut round = 1;
    while catalog.rules.len() < count && !originals.is_empty() {
        round += 1;
        for rule in originals.iter().take(count - catalog.rules.len()) {
            let mut copy = rule.as_ref().clone();
            copy.id = format!("{}-{round}", rule.id).into();
            catalog.rules.insert(copy.id.clone(), Arc::new(copy));
        }
    }
    while catalog.rules.len() > count {
        catalog.rules.pop_last();
    }
    catalog
}

/// Deterministic, and mixed enough.
fn number(seed: usize) -> usize {
    let mut state = seed as u64 ^ 0x9e37_79b9_7f4a_7c15;
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (state ^ (state >> 31)) as usize
}

/// A relation type and the kinds it may point to.
type Ends = (Arc<str>, Arc<[Arc<str>]>);

fn fill(builder: &mut EstateBuilder, kind: &Kind, count: usize) {
    let names: Vec<(Arc<str>, PropertyType, Vec<Arc<str>>)> = kind
        .properties
        .iter()
        .map(|(name, property)| {
            (name.clone(), property.kind, property.values.iter().map(|one| Arc::from(one.as_str())).collect())
        })
        .collect();
    let ends: Vec<Ends> = kind
        .relations
        .iter()
        .flat_map(|(name, all)| all.as_slice().iter().map(move |one| (name, one)))
        .filter(|(_, relation)| !relation.to.as_slice().is_empty())
        .map(|(name, relation)| (name.clone(), Arc::from(relation.to.as_slice())))
        .collect();
    for at in 0..count {
        let seed = number(at);
        let account: Arc<str> = format!("{:012}", seed % ACCOUNTS).into();
        let region: Arc<str> = if kind.scope == Scope::Global { "global".into() } else { "eu-west-1".into() };
        let key: Arc<str> = format!("arn:aws:{}:{region}:{account}:thing/{at}", kind.id).into();
        let links = ends.iter().enumerate().filter(|(which, _)| seed >> (which % 16) & 3 == 0).map(
            |(which, (relation, to))| Link {
                relation: relation.clone(),
                direction: Direction::Out,
                kinds: to.clone(),
                target: format!("arn:aws:{}:eu-west-1:{account}:thing/{}", to[0], number(seed + which) % count.max(1))
                    .into(),
            },
        );
        builder.add(Resource {
            kind: kind.id.clone(),
            name: Value::from(format!("thing-{at}").as_str()),
            tags: Value::Null,
            ids: Vec::new(),
            properties: names
                .iter()
                .enumerate()
                .map(|(place, (name, of, values))| (name.clone(), value(*of, values, number(seed + place))))
                .collect(),
            links: links.collect(),
            unknown: Vec::new(),
            key,
            account,
            region,
        });
    }
}

fn value(of: PropertyType, values: &[Arc<str>], seed: usize) -> Value {
    match seed & 31 {
        0 => return Value::Unknown,
        1 | 2 => return Value::Null,
        _ => {}
    }
    let drawn = seed >> 5;
    match of {
        PropertyType::Bool => Value::Bool(drawn & 1 == 1),
        PropertyType::Int => Value::Int((drawn & 511) as i64),
        PropertyType::Float => Value::Float((drawn & 511) as f64),
        PropertyType::Time => Value::Time(Timestamp(1_700_000_000_000_000 + (drawn & 0xffff) as i64 * 1_000_000_000)),
        PropertyType::String => match values {
            [] => Value::from(["alpha", "beta", "TLSv1.2", "disabled"][drawn & 3]),
            values => Value::String(values[drawn % values.len()].clone()),
        },
        PropertyType::List => {
            Value::List((0..drawn & 3).map(|at| Value::from(["alpha", "10.0.0.0/8", "0.0.0.0/0"][at])).collect())
        }
        PropertyType::Json => Value::List(Arc::from([])),
    }
}
