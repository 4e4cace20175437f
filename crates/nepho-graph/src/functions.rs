//! The functions there are: names, numbers of arguments, and the types they take and give where those are fixed.

use crate::resolve::types::Type;

macro_rules! functions {
    ($($variant:ident $name:literal $least:literal $most:literal $of:ident $gives:ident $doc:literal;)*) => {
        /// A function.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Function {
            $(#[doc = $doc] $variant,)*
        }

        const TABLE: &[(&str, Function, usize, usize, Type, Type, &str)] = &[
            $(($name, Function::$variant, $least, $most, Type::$of, Type::$gives, $doc),)*
        ];
    };
}

functions! {
    Abs "abs" 1 1 Number Number "The size of a number.";
    Acos "acos" 1 1 Number Float "Arc cosine.";
    AgeDays "age_days" 1 1 Any Int "Whole days from a point in time to the graph's clock.";
    Asin "asin" 1 1 Number Float "Arc sine.";
    Atan "atan" 1 1 Number Float "Arc tangent.";
    Atan2 "atan2" 2 2 Number Float "Arc tangent of a point.";
    Ceil "ceil" 1 1 Number Float "The next whole number up.";
    CidrContains "cidr_contains" 2 2 Any Bool "Whether the first network holds the second.";
    Coalesce "coalesce" 1 255 Any Any "The first argument that is not null; unknown where one before it is unknown.";
    Cos "cos" 1 1 Number Float "Cosine.";
    Cot "cot" 1 1 Number Float "Cotangent.";
    Date "date" 0 1 Any Temporal "A date.";
    DateTime "datetime" 0 1 Any Temporal "A point in time.";
    DateTimeFromEpoch "datetime.fromepoch" 2 2 Any Temporal "A point in time out of seconds and nanoseconds.";
    DateTimeFromEpochMillis "datetime.fromepochmillis" 1 1 Any Temporal "A point in time out of milliseconds.";
    DateTimeTruncate "datetime.truncate" 1 3 Any Temporal "A point in time cut to a unit.";
    DateTruncate "date.truncate" 1 3 Any Temporal "A date cut to a unit.";
    Degrees "degrees" 1 1 Number Float "Radians as degrees.";
    Duration "duration" 1 1 Any Temporal "A duration out of text or a map.";
    DurationBetween "duration.between" 2 2 Any Temporal "From one point in time to another.";
    DurationInDays "duration.indays" 2 2 Any Temporal "Whole days from one point in time to another.";
    DurationInMonths "duration.inmonths" 2 2 Any Temporal "Whole months from one point in time to another.";
    DurationInSeconds "duration.inseconds" 2 2 Any Temporal "Seconds from one point in time to another.";
    E "e" 0 0 Any Float "Euler's number.";
    ElementId "elementid" 1 1 Any String "The element's number as text.";
    EndNode "endnode" 1 1 Relation Node "Where a relation ends.";
    Exists "exists" 1 1 Any Bool "Whether a property is there.";
    Exp "exp" 1 1 Number Float "The exponential.";
    Floor "floor" 1 1 Number Float "The next whole number down.";
    Glob "glob" 2 2 Any Bool "Whether a text matches a pattern of `*` and `?`.";
    Haversin "haversin" 1 1 Number Float "Half the versine.";
    Head "head" 1 1 List Any "A list's first element.";
    Id "id" 1 1 Any Int "The element's number.";
    IpIn "ip_in" 2 2 Any Bool "Whether an address is in a network.";
    IsEmpty "isempty" 1 1 Any Bool "Whether a text, list or map is empty.";
    IsNaN "isnan" 1 1 Number Bool "Whether a number is none.";
    IsPublicIp "is_public_ip" 1 1 Any Bool "Whether an address, or a whole network, is reachable from the internet.";
    Keys "keys" 1 1 Any List "The names of the properties that are there.";
    Labels "labels" 1 1 Node List "A node's labels.";
    Last "last" 1 1 List Any "A list's last element.";
    Left "left" 2 2 Any String "The first characters.";
    Length "length" 1 1 Path Int "How many relations a path has.";
    LocalDateTime "localdatetime" 0 1 Any Temporal "A day and time without offset.";
    LocalDateTimeTruncate "localdatetime.truncate" 1 3 Any Temporal "A day and time without offset cut to a unit.";
    LocalTime "localtime" 0 1 Any Temporal "A time of day without offset.";
    LocalTimeTruncate "localtime.truncate" 1 3 Any Temporal "A time of day without offset cut to a unit.";
    Log "log" 1 1 Number Float "The natural logarithm.";
    Log10 "log10" 1 1 Number Float "The decimal logarithm.";
    LTrim "ltrim" 1 1 Any String "Text without space at its start.";
    Nodes "nodes" 1 1 Path List "A path's nodes.";
    Pi "pi" 0 0 Any Float "The circle's number.";
    Properties "properties" 1 1 Any Map "The properties as a map.";
    Radians "radians" 1 1 Number Float "Degrees as radians.";
    Rand "rand" 0 0 Any Float "A number from 0 to 1 that follows from the row's place: the same query gives the same answer.";
    Range "range" 2 3 Any List "Whole numbers from the first to the second, both included.";
    Relationships "relationships" 1 1 Path List "A path's relations.";
    Rels "rels" 1 1 Path List "A path's relations.";
    Replace "replace" 3 3 Any String "Text with every occurrence of one text replaced by another.";
    Reverse "reverse" 1 1 Any Any "A text or list backwards.";
    Right "right" 2 2 Any String "The last characters.";
    Round "round" 1 2 Number Float "The nearest number with so many decimals, half away from zero.";
    RTrim "rtrim" 1 1 Any String "Text without space at its end.";
    Sign "sign" 1 1 Number Int "-1, 0 or 1.";
    Sin "sin" 1 1 Number Float "Sine.";
    Size "size" 1 1 Sized Int "How many elements a list or characters a text has.";
    Split "split" 2 2 Any List "Text cut at every occurrence of another.";
    Sqrt "sqrt" 1 1 Number Float "The square root.";
    StartNode "startnode" 1 1 Relation Node "Where a relation starts.";
    Substring "substring" 2 3 Any String "Characters from a position counted from 0, so many.";
    Tail "tail" 1 1 List List "All but a list's first element.";
    Tan "tan" 1 1 Number Float "Tangent.";
    Time "time" 0 1 Any Temporal "A time of day.";
    TimeTruncate "time.truncate" 1 3 Any Temporal "A time of day cut to a unit.";
    ToBoolean "toboolean" 1 1 Any Bool "As a boolean, null where it reads as none.";
    ToFloat "tofloat" 1 1 Any Float "As a float, null where it reads as none.";
    ToInteger "tointeger" 1 1 Any Int "As a whole number, null where it reads as none.";
    ToLower "tolower" 1 1 Any String "In small letters.";
    ToString "tostring" 1 1 Any String "As text.";
    ToUpper "toupper" 1 1 Any String "In capital letters.";
    Trim "trim" 1 1 Any String "Text without space at either end.";
    Type "type" 1 1 Relation String "A relation's type.";
}

/// What a function takes and gives.
pub(crate) struct Signature {
    pub function: Function,
    pub least: usize,
    pub most: usize,
    /// Type of every argument.
    pub takes: Type,
    pub gives: Type,
}

/// The function of this name, in any case.
pub(crate) fn named(name: &str) -> Option<Signature> {
    let name = name.to_lowercase();
    let name = match name.as_str() {
        "lower" => "tolower",
        "upper" => "toupper",
        "ceiling" => "ceil",
        // There is one clock, and a query sees it stand still.
        other => ["transaction", "statement", "realtime"]
            .iter()
            .find_map(|clock| other.strip_suffix(clock)?.strip_suffix('.'))
            .unwrap_or(other),
    };
    TABLE.iter().find(|entry| entry.0 == name).map(|(_, function, least, most, takes, gives, _)| Signature {
        function: *function,
        least: *least,
        most: *most,
        takes: *takes,
        gives: *gives,
    })
}

/// Every function's name (in small letters) and one line about it.
pub fn function_docs() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.iter().map(|entry| (entry.0, entry.6))
}

/// Every name, for suggestions.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|entry| entry.0)
}
