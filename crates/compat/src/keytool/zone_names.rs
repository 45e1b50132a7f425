//! Names of zones as Java prints them, where the zone's own rules have other letters, or only numbers.
//!
//! Source: `TimeZone.getDisplayName` of OpenJDK 17 in English, for the zones whose abbreviation there is another.

use jiff::Zoned;

/// The short name of the zone at a moment: Java's, else that of the rules, else `GMT+05:00`.
pub(crate) fn short(moment: &Zoned) -> String {
    let zone = moment.time_zone();
    let info = zone.to_offset_info(moment.timestamp());
    let name = zone.iana_name().unwrap_or_default();
    let of_zone = |row: &&(&str, &str, &str)| row.2.split_whitespace().any(|known| known == name);
    if let Some((standard, daylight, _)) = NAMES.iter().find(of_zone) {
        return if info.dst().is_dst() { *daylight } else { *standard }.to_owned();
    }
    let letters = info.abbreviation();
    if !letters.starts_with(['+', '-']) {
        return letters.to_owned();
    }
    let minutes = info.offset().seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("GMT{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// Standard name, name in summer, zones.
#[rustfmt::skip]
const NAMES: &[(&str, &str, &str)] = &[
    ("ACT", "ACT", "America/Eirunepe America/Porto_Acre America/Rio_Branco Brazil/Acre"),
    ("ACWST", "ACWST", "Australia/Eucla"),
    ("AFT", "AFT", "Asia/Kabul"),
    ("ALMT", "ALMT", "Asia/Almaty"),
    ("AMT", "AMT", "America/Boa_Vista America/Campo_Grande America/Cuiaba America/Manaus America/Porto_Velho \
         Asia/Yerevan Brazil/West"),
    ("ANAT", "ANAT", "Asia/Anadyr"),
    ("AQTT", "AQTT", "Asia/Aqtau Asia/Aqtobe"),
    ("ART", "ART", "America/Argentina/Buenos_Aires America/Argentina/Catamarca \
         America/Argentina/ComodRivadavia America/Argentina/Cordoba America/Argentina/Jujuy \
         America/Argentina/La_Rioja America/Argentina/Mendoza America/Argentina/Rio_Gallegos \
         America/Argentina/Salta America/Argentina/San_Juan America/Argentina/San_Luis \
         America/Argentina/Tucuman America/Argentina/Ushuaia America/Buenos_Aires America/Catamarca \
         America/Cordoba America/Jujuy America/Mendoza America/Rosario"),
    ("AST", "AST", "Asia/Aden Asia/Baghdad Asia/Bahrain Asia/Kuwait Asia/Qatar Asia/Riyadh"),
    ("AWST", "AWST", "Antarctica/Casey"),
    ("AZOT", "AZOST", "Atlantic/Azores"),
    ("AZT", "AZT", "Asia/Baku"),
    ("BDT", "BDT", "Asia/Dacca Asia/Dhaka"),
    ("BNT", "BNT", "Asia/Brunei"),
    ("BOT", "BOT", "America/La_Paz"),
    ("BRT", "BRT", "America/Araguaina America/Bahia America/Belem America/Fortaleza America/Maceio \
         America/Recife America/Santarem America/Sao_Paulo Brazil/East"),
    ("BST", "BST", "Pacific/Bougainville"),
    ("BTT", "BTT", "Asia/Thimbu Asia/Thimphu"),
    ("CCT", "CCT", "Indian/Cocos"),
    ("CHAST", "CHADT", "NZ-CHAT Pacific/Chatham"),
    ("CHOT", "CHOT", "Asia/Choibalsan"),
    ("CHUT", "CHUT", "Pacific/Chuuk Pacific/Truk Pacific/Yap"),
    ("CKT", "CKT", "Pacific/Rarotonga"),
    ("CLT", "CLST", "America/Santiago Chile/Continental"),
    ("CLT", "CLT", "Antarctica/Palmer"),
    ("COT", "COT", "America/Bogota"),
    ("CVT", "CVT", "Atlantic/Cape_Verde"),
    ("CXT", "CXT", "Indian/Christmas"),
    ("DAVT", "DAVT", "Antarctica/Davis"),
    ("DDUT", "DDUT", "Antarctica/DumontDUrville"),
    ("EAST", "EASST", "Chile/EasterIsland Pacific/Easter"),
    ("ECT", "ECT", "America/Guayaquil"),
    ("EET", "EET", "Asia/Amman Asia/Damascus"),
    ("EGT", "EGST", "America/Scoresbysund"),
    ("FJT", "FJT", "Pacific/Fiji"),
    ("FKT", "FKT", "Atlantic/Stanley"),
    ("FNT", "FNT", "America/Noronha Brazil/DeNoronha"),
    ("GALT", "GALT", "Pacific/Galapagos"),
    ("GAMT", "GAMT", "Pacific/Gambier"),
    ("GET", "GET", "Asia/Tbilisi"),
    ("GFT", "GFT", "America/Cayenne"),
    ("GILT", "GILT", "Pacific/Tarawa"),
    ("GMT", "CEST", "Antarctica/Troll"),
    ("GST", "GST", "Asia/Dubai Asia/Muscat Atlantic/South_Georgia"),
    ("GYT", "GYT", "America/Guyana"),
    ("HAST", "HADT", "America/Adak America/Atka US/Aleutian"),
    ("HAST", "HAST", "Pacific/Johnston"),
    ("HOVT", "HOVT", "Asia/Hovd"),
    ("ICT", "ICT", "Asia/Bangkok Asia/Ho_Chi_Minh Asia/Phnom_Penh Asia/Saigon Asia/Vientiane"),
    ("IOT", "IOT", "Indian/Chagos"),
    ("IRKT", "IRKT", "Asia/Irkutsk"),
    ("IRST", "IRST", "Asia/Tehran Iran"),
    ("IST", "IST", "Asia/Colombo"),
    ("KGT", "KGT", "Asia/Bishkek"),
    ("KOST", "KOST", "Pacific/Kosrae"),
    ("KRAT", "KRAT", "Asia/Krasnoyarsk Asia/Novokuznetsk"),
    ("LHST", "LHDT", "Australia/LHI Australia/Lord_Howe"),
    ("LINT", "LINT", "Pacific/Kiritimati"),
    ("MAGT", "MAGT", "Asia/Magadan"),
    ("MART", "MART", "Pacific/Marquesas"),
    ("MAWT", "MAWT", "Antarctica/Mawson"),
    ("MHT", "MHT", "Kwajalein Pacific/Kwajalein Pacific/Majuro"),
    ("MMT", "MMT", "Asia/Rangoon Asia/Yangon"),
    ("MSK", "MSK", "Europe/Minsk"),
    ("MUT", "MUT", "Indian/Mauritius"),
    ("MVT", "MVT", "Indian/Maldives"),
    ("MYT", "MYT", "Asia/Kuala_Lumpur Asia/Kuching"),
    ("NCT", "NCT", "Pacific/Noumea"),
    ("NFT", "NFST", "Pacific/Norfolk"),
    ("NOVT", "NOVT", "Asia/Novosibirsk"),
    ("NPT", "NPT", "Asia/Kathmandu Asia/Katmandu"),
    ("NRT", "NRT", "Pacific/Nauru"),
    ("NUT", "NUT", "Pacific/Niue"),
    ("OMST", "OMST", "Asia/Omsk"),
    ("ORAT", "ORAT", "Asia/Oral"),
    ("PET", "PET", "America/Lima"),
    ("PETT", "PETT", "Asia/Kamchatka"),
    ("PGT", "PGT", "Pacific/Port_Moresby"),
    ("PHOT", "PHOT", "Pacific/Enderbury"),
    ("PMST", "PMDT", "America/Miquelon"),
    ("PONT", "PONT", "Pacific/Pohnpei Pacific/Ponape"),
    ("PST", "PST", "Pacific/Pitcairn"),
    ("PWT", "PWT", "Pacific/Palau"),
    ("PYT", "PYT", "America/Asuncion"),
    ("QOST", "QOST", "Asia/Qostanay"),
    ("QYZT", "QYZT", "Asia/Qyzylorda"),
    ("RET", "RET", "Indian/Reunion"),
    ("ROTT", "ROTT", "Antarctica/Rothera"),
    ("SAKT", "SAKT", "Asia/Sakhalin"),
    ("SAMT", "SAMT", "Europe/Samara"),
    ("SBT", "SBT", "Pacific/Guadalcanal"),
    ("SCT", "SCT", "Indian/Mahe"),
    ("SGT", "SGT", "Asia/Singapore Singapore"),
    ("SRET", "SRET", "Asia/Srednekolymsk"),
    ("SRT", "SRT", "America/Paramaribo"),
    ("SYOT", "SYOT", "Antarctica/Syowa"),
    ("TAHT", "TAHT", "Pacific/Tahiti"),
    ("TFT", "TFT", "Indian/Kerguelen"),
    ("TJT", "TJT", "Asia/Dushanbe"),
    ("TKT", "TKT", "Pacific/Fakaofo"),
    ("TLT", "TLT", "Asia/Dili"),
    ("TMT", "TMT", "Asia/Ashgabat Asia/Ashkhabad"),
    ("TOT", "TOT", "Pacific/Tongatapu"),
    ("TRT", "TRT", "Asia/Istanbul Europe/Istanbul Turkey"),
    ("TVT", "TVT", "Pacific/Funafuti"),
    ("ULAT", "ULAT", "Asia/Ulaanbaatar Asia/Ulan_Bator"),
    ("UYT", "UYT", "America/Montevideo"),
    ("UZT", "UZT", "Asia/Samarkand Asia/Tashkent"),
    ("VET", "VET", "America/Caracas"),
    ("VLAT", "VLAT", "Asia/Ust-Nera Asia/Vladivostok"),
    ("VOST", "VOST", "Antarctica/Vostok"),
    ("VUT", "VUT", "Pacific/Efate"),
    ("WAKT", "WAKT", "Pacific/Wake"),
    ("WAT", "WAT", "Africa/Windhoek"),
    ("WEST", "WEST", "Africa/Casablanca Africa/El_Aaiun"),
    ("WFT", "WFT", "Pacific/Wallis"),
    ("WGT", "WGST", "America/Godthab America/Nuuk"),
    ("WSST", "WSST", "Pacific/Apia"),
    ("XJT", "XJT", "Asia/Kashgar Asia/Urumqi"),
    ("YAKT", "YAKT", "Asia/Chita Asia/Khandyga Asia/Yakutsk"),
    ("YEKT", "YEKT", "Asia/Yekaterinburg"),
];
