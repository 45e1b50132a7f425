use super::*;

const ANSWER: &str = "Workload Automation(UNIX)/CONMAN 10.1
Installed for user 'wauser'.
Schedule (Exp) 03/05/23 (#21) on MDM1. Batchman LIVES. Limit: 10, Fence: 0, Audit Level: 0
sc @!@
CPUID            RUN NODE        LIMIT FENCE  DATE TIME   STATE METHOD DOMAIN
MDM1             360 *UNIX MASTER   10     0 03/05/23 13:48 I J M EA     MASTERDM
>> /FOLDER/
FTA1             360 UNIX FTA       10     0 03/05/23 13:48 LTI JW M     MASTERDM
FTA2             360 UNIX FTA       10     0 03/05/23 13:48 FTI JW MDA   MASTERDM
FTA3             360 UNIX FTA       10     0 03/05/23 13:48 LTI J M      MASTERDM
FTA4             360 UNIX FTA       10     0                             MASTERDM
DM1              360 UNIX MANAGER   10     0 03/05/23 13:48 LTI JW       DM1DOM
DA1              360 UNIX AGENT     10     0 03/05/23 13:48 LBI J        MASTERDM
DA2              360 UNIX AGENT     10     0 03/05/23 13:48 LBI          MASTERDM
MDM1_DWB         360 OTHR BROKER    10     0 03/05/23 13:48 LTI JW       MASTERDM
";

#[track_caller]
fn check(name: &str, linked: bool) {
    assert_eq!(is_linked(ANSWER, name), linked, "{name} in {:#?}", parse(ANSWER));
}

#[test]
fn the_flags_decide_and_not_the_literal_string() {
    check("MDM1", true);
    check("FTA1", true);
    check("fta2", true);
    check("/FOLDER/DM1", true);
    check("DA1", true);
    check("MDM1_DWB", true);
}

#[test]
fn missing_flags_and_missing_workstations_are_not_linked() {
    check("FTA3", false);
    check("FTA4", false);
    check("DA2", false);
    check("NONE", false);
    assert!(!is_linked("", "MDM1"));
}
