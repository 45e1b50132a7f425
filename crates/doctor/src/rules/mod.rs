//! The rules, one a file, in the order of their names.

mod h01;
mod h02;
mod h03;
mod h04;
mod h05;
mod h06;
mod h07;
mod h08;
mod h09;
mod h10;
mod h11;
mod h12;
mod h13;
mod h14;
mod h15;
mod h16;
mod h17;
mod h18;
mod h19;
mod h20;
mod h21;
mod h22;
mod h23;
mod h24;
mod h30;
mod h31;
mod h32;
mod h33;
mod h34;
mod h35;
mod h36;
mod h37;
mod h38;
mod h39;
mod h40;
mod h41;
mod h42;
mod h50;
mod h51;
mod h52;
mod h53;
mod h54;
mod h55;
mod h56;
mod h57;
mod h58;
mod h59;
mod h60;
mod h61;
mod h62;
mod h63;
mod h64;
mod h65;
mod h66;
mod h67;
mod h68;
mod h70;
mod h71;
mod h72;
mod h73;
mod h74;
mod h75;
mod h76;
mod h77;
mod h78;
mod h79;
mod h80;
mod h81;
mod h82;
mod h83;
mod h84;
mod h85;
mod h86;
mod h87;
mod h88;
mod h89;
mod h90;
mod h91;
mod h92;
mod h93;
mod h94;

use crate::rule::Rule;

/// All rules, in the order of their names; [`crate::Stage`] says in which order they strike.
pub const RULES: &[&Rule] = &[
    &h01::RULE,
    &h02::RULE,
    &h03::RULE,
    &h04::RULE,
    &h05::RULE,
    &h06::RULE,
    &h07::RULE,
    &h08::RULE,
    &h09::RULE,
    &h10::RULE,
    &h11::RULE,
    &h12::RULE,
    &h13::RULE,
    &h14::RULE,
    &h15::RULE,
    &h16::RULE,
    &h17::RULE,
    &h18::RULE,
    &h19::RULE,
    &h20::RULE,
    &h21::RULE,
    &h22::RULE,
    &h23::RULE,
    &h24::RULE,
    &h30::RULE,
    &h31::RULE,
    &h32::RULE,
    &h33::RULE,
    &h34::RULE,
    &h35::RULE,
    &h36::RULE,
    &h37::RULE,
    &h38::RULE,
    &h39::RULE,
    &h40::RULE,
    &h41::RULE,
    &h42::RULE,
    &h50::RULE,
    &h51::RULE,
    &h52::RULE,
    &h53::RULE,
    &h54::RULE,
    &h55::RULE,
    &h56::RULE,
    &h57::RULE,
    &h58::RULE,
    &h59::RULE,
    &h60::RULE,
    &h61::RULE,
    &h62::RULE,
    &h63::RULE,
    &h64::RULE,
    &h65::RULE,
    &h66::RULE,
    &h67::RULE,
    &h68::RULE,
    &h70::RULE,
    &h71::RULE,
    &h72::RULE,
    &h73::RULE,
    &h74::RULE,
    &h75::RULE,
    &h76::RULE,
    &h77::RULE,
    &h78::RULE,
    &h79::RULE,
    &h80::RULE,
    &h81::RULE,
    &h82::RULE,
    &h83::RULE,
    &h84::RULE,
    &h85::RULE,
    &h86::RULE,
    &h87::RULE,
    &h88::RULE,
    &h89::RULE,
    &h90::RULE,
    &h91::RULE,
    &h92::RULE,
    &h93::RULE,
    &h94::RULE,
];

pub(crate) use h20::is_backup;

/// Messages about a purpose that do not say whose.
pub(crate) const PURPOSE_STATES: &[&str] = h53::RULE.hints;
