//! What holds for every lock with outcomes of several platform classes.

use super::any::class;
use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_lock_keeps_one_outcome_of_each_class_in_the_order_of_the_classes(lock in lockfile(), class in class()) {
        prop_assume!(class.platform != lock.snapshot.platform);
        let mut more = lock.clone();
        more.put_class(class.clone());
        prop_assert_eq!(more.expected(&class.platform), Some(&class.outcome));
        prop_assert_eq!(more.expected(&lock.snapshot.platform), Some(&lock.outcome), "the class that it was recorded on stays");
        prop_assert!(more.classes.is_sorted_by(|one, other| one.platform < other.platform));
        for known in lock.classes.iter().filter(|known| known.platform != class.platform) {
            prop_assert_eq!(more.expected(&known.platform), Some(&known.outcome));
        }
        prop_assert_eq!(more.classes_known().count(), more.classes.len() + 1);
        more.put_class(class);
        prop_assert_eq!(&Lockfile::from_text(&more.to_text(), "repro.lock").unwrap().lock, &more);
        prop_assert!(more == lock || more.id() != lock.id(), "classes are covered by the id");
    }

    #[test]
    fn a_lock_with_two_outcomes_of_one_class_is_refused(lock in lockfile(), class in class(), main: bool) {
        prop_assume!(class.platform != lock.snapshot.platform);
        let mut twice = lock;
        let platform = if main { twice.snapshot.platform.clone() } else { class.platform.clone() };
        twice.put_class(class.clone());
        twice.classes.push(Class { platform, ..class });
        let refusal = Lockfile::from_text(&twice.to_text(), "repro.lock").unwrap_err();
        prop_assert!(refusal.context_lines().unwrap().contains("two outcomes of one platform class"));
    }
}

#[test]
fn the_sample_with_further_classes_is_that_of_version_1_and_what_other_machines_added() {
    let text = include_str!("../../../fixtures/lockfiles/v1-classes.lock");
    let read = Lockfile::from_text(text, "v1-classes.lock").unwrap();
    assert_eq!(read.id, read.actual_id, "somebody edited the sample");
    assert_eq!(read.lock.to_text(), text);
    let plain = Lockfile::from_text(include_str!("../../../fixtures/lockfiles/v1.lock"), "v1.lock")
        .unwrap()
        .lock;
    let without = Lockfile {
        classes: Vec::new(),
        ..read.lock.clone()
    };
    assert_eq!(without.to_text(), plain.to_text());
    let cpus: Vec<&str> = read.lock.classes.iter().map(|class| class.platform.cpu.as_str()).collect();
    assert_eq!(cpus, ["neoverse", "x86-64-v2"]);
    assert!(
        plain.says_nothing_new_to(&read.lock),
        "what others added is not missed by a recording on the first machine"
    );
}
